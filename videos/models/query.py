"""What owners have searched for, kept to compare two generations of vectors before a switch."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class RecordedQuery(models.Model):
    """One text that an owner searched for: kept for 30 days, or for as long as it is saved; erasable by the owner."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    text = models.CharField(max_length=1000)
    saved = models.BooleanField(default=False)
    asked_at = models.DateTimeField(default=timezone.now, help_text="When it was asked last.")

    class Meta:
        ordering = ("-asked_at",)
        verbose_name_plural = "recorded queries"
        constraints = (models.UniqueConstraint(fields=["owner", "text"], name="query_owner_text"),)
        indexes = (models.Index(fields=["owner", "-asked_at"], name="query_owner_asked"),)

    def __str__(self) -> str:
        return self.text
