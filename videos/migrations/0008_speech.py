"""The language that an owner gives, why speech was not written down, and what is heard of a video until all of it is."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("videos", "0007_skipped_stages"),
    ]

    operations = [
        migrations.AddField(
            model_name="video",
            name="language",
            field=models.CharField(blank=True, help_text="Of the speech, as its owner gave it; empty to find it out.", max_length=16),
        ),
        migrations.AddField(
            model_name="videometadata",
            name="speech_notice",
            field=models.TextField(blank=True, help_text="Why the speech was not written down, for its owner."),
        ),
        migrations.CreateModel(
            name="HeardStretch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("listener", models.CharField(help_text="The speech model, and the language that it was told.", max_length=300)),
                ("first_sample", models.BigIntegerField()),
                ("end_sample", models.BigIntegerField()),
                ("language", models.CharField(blank=True, max_length=16)),
                ("words", models.JSONField(blank=True, default=list, help_text="[[start_s, end_s, text], …]")),
                (
                    "owner",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
                ("video", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="videos.video")),
            ],
            options={"ordering": ("video", "first_sample")},
        ),
        migrations.AddConstraint(
            model_name="heardstretch",
            constraint=models.UniqueConstraint(fields=("video", "first_sample"), name="heard_stretch_video_first"),
        ),
    ]
