"""Judgments of results, which measure changes of search."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class Judgment(models.Model):
    """An owner's opinion on a scene that search answered to a query. It is kept until the owner or the scene is deleted."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    text = models.CharField(max_length=1000, help_text="The query, with one space between words.")
    # A long text in Chinese exceeds what an index can hold.
    text_hash = models.CharField(max_length=64, help_text="SHA-256 of the query.")
    scene = models.ForeignKey("videos.Scene", on_delete=models.CASCADE, related_name="judgments")
    fits = models.BooleanField(help_text="Whether the scene fits the query.")
    judged_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-judged_at", "-id")
        constraints = (models.UniqueConstraint(fields=["owner", "scene", "text_hash"], name="judgment_owner_scene_text"),)
        indexes = (models.Index(fields=["owner", "-judged_at", "-id"], name="judgment_owner_judged"),)

    def __str__(self) -> str:
        return f"{self.text}: {'fits' if self.fits else 'does not fit'}"
