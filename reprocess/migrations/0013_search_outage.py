"""Add the outage of the search server. Changes no table."""

from django.db import migrations, models


_KINDS = [("storage", "Storage"), ("model", "Model"), ("disk", "Disk"), ("database", "Database"), ("search", "Search")]


class Migration(migrations.Migration):
    dependencies = [("reprocess", "0012_trials")]

    operations = [
        migrations.AlterField(
            model_name="reprocessrun",
            name="waits_for",
            field=models.CharField(blank=True, db_default="", default="", choices=_KINDS, max_length=8),
        ),
    ]
