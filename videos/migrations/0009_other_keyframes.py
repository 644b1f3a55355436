from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("videos", "0008_speech")]

    operations = [
        migrations.AddField(
            "scene",
            "other_keyframes_s",
            models.JSONField(blank=True, default=list, help_text="When the further pictures of a longer scene were seen."),
        ),
    ]
