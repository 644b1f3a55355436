"""Chunks of a transcript that is not complete yet."""

from django.conf import settings
from django.db import models

from videos.models.video import Video


class TranscriptChunk(models.Model):
    """The words of one chunk of a sound track. They are kept until the transcript is complete, so that another worker can resume."""

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="+")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    listener = models.CharField(max_length=300, help_text="The speech model, and the language that it was told.")
    first_sample = models.BigIntegerField()
    end_sample = models.BigIntegerField()
    language = models.CharField(max_length=16, blank=True)
    words = models.JSONField(default=list, blank=True, help_text="[[start_s, end_s, text], …]")

    class Meta:
        ordering = ("video", "first_sample")
        constraints = (models.UniqueConstraint(fields=["video", "first_sample"], name="transcript_chunk_video_first"),)

    def __str__(self) -> str:
        return f"samples {self.first_sample} to {self.end_sample}"
