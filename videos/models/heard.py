"""What a worker has heard of a video whose transcript is not complete yet."""

from django.conf import settings
from django.db import models

from videos.models.video import Video


class HeardStretch(models.Model):
    """The words of one stretch of sound, kept until the whole is heard, so that a worker that takes over begins behind it."""

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="+")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    listener = models.CharField(max_length=300, help_text="The speech model, and the language that it was told.")
    first_sample = models.BigIntegerField()
    end_sample = models.BigIntegerField()
    language = models.CharField(max_length=16, blank=True)
    words = models.JSONField(default=list, blank=True, help_text="[[start_s, end_s, text], …]")

    class Meta:
        ordering = ("video", "first_sample")
        constraints = (models.UniqueConstraint(fields=["video", "first_sample"], name="heard_stretch_video_first"),)

    def __str__(self) -> str:
        return f"samples {self.first_sample} to {self.end_sample}"
