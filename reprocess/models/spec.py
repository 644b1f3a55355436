"""The specs that were used, so that every vector can be traced to its step and model."""

from django.db import models
from django.utils import timezone


class EmbeddingSpec(models.Model):
    """One effective spec of this installation, recorded when it was first used."""

    digest = models.CharField(max_length=64, primary_key=True)
    version = models.CharField(max_length=40)
    definition = models.JSONField()
    first_used_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-first_used_at",)

    def __str__(self) -> str:
        return f"{self.version} ({self.digest[:8]})"
