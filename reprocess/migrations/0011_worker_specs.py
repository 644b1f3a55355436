"""Add WorkerSpec: which specs running workers hold."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reprocess", "0010_outages")]

    operations = [
        migrations.CreateModel(
            name="WorkerSpec",
            fields=[
                ("digest", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("version", models.CharField(max_length=40)),
                ("reported_at", models.DateTimeField()),
            ],
            options={"ordering": ("-reported_at",)},
        ),
        migrations.AlterField(
            model_name="reprocessrun",
            name="error",
            field=models.TextField(blank=True, help_text="Why the run failed, is paused, or waits for a worker with its spec."),
        ),
    ]
