"""Add the outage of the search server. Changes no table."""

from django.db import migrations, models


_KINDS = [("storage", "Storage"), ("model", "Model"), ("disk", "Disk"), ("database", "Database"), ("search", "Search")]


class Migration(migrations.Migration):
    dependencies = [("outages", "0001_initial")]

    operations = [
        migrations.AlterField(
            model_name="outage",
            name="kind",
            field=models.CharField(primary_key=True, serialize=False, choices=_KINDS, max_length=8),
        ),
    ]
