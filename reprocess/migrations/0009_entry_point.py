"""Rename ReprocessRun.entrance to entry_point, the word of its choices."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("reprocess", "0008_texts")]

    operations = [migrations.RenameField("reprocessrun", "entrance", "entry_point")]
