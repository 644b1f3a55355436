"""Recorded search queries, with which two generations of vectors are compared before a switch."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class RecordedQuery(models.Model):
    """A text that an owner searched for. It is kept for 30 days, or as long as it is saved. The owner can delete it."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    text = models.CharField(max_length=1000)
    saved = models.BooleanField(default=False)
    asked_at = models.DateTimeField(default=timezone.now, help_text="When it was last asked.")

    class Meta:
        ordering = ("-asked_at",)
        verbose_name_plural = "recorded queries"
        constraints = (models.UniqueConstraint(fields=["owner", "text"], name="query_owner_text"),)
        indexes = (models.Index(fields=["owner", "-asked_at"], name="query_owner_asked"),)

    def __str__(self) -> str:
        return self.text
