"""Words of owners are counted, so that they go with the last text that holds them. `reconcile --repair` counts those written before."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("videos", "0022_tags_collections_saved_searches")]

    operations = [
        migrations.AddField(
            model_name="ownerword",
            name="word_count",
            field=models.PositiveIntegerField(default=0, db_default=0, help_text="Number of texts that hold it as a word."),
        ),
        migrations.AddField(
            model_name="ownerword",
            name="stem_count",
            field=models.PositiveIntegerField(default=0, db_default=0, help_text="Number of texts that hold it as a stem."),
        ),
    ]
