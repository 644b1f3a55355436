from django.db import migrations, models

_HAS_TIMELINE = "Whether there is a sheet of small pictures from all over the video."


class Migration(migrations.Migration):
    dependencies = [
        ("videos", "0011_faces_of_scenes"),
    ]

    operations = [
        migrations.AddField(
            model_name="videometadata",
            name="damage_notice",
            field=models.TextField(blank=True, help_text="What of the file could not be decoded, for its owner."),
        ),
        # Of videos that are there already nobody knows; the page shows no strip where the sheet turns out to be missing.
        migrations.AddField(
            model_name="videometadata", name="has_timeline", field=models.BooleanField(default=True, help_text=_HAS_TIMELINE)
        ),
        migrations.AlterField(
            model_name="videometadata", name="has_timeline", field=models.BooleanField(default=False, help_text=_HAS_TIMELINE)
        ),
    ]
