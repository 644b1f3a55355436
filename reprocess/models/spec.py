"""A spec as it was used, so that every vector can be traced."""

from django.db import models
from django.utils import timezone


class EmbeddingSpec(models.Model):
    """The effective spec of this installation at its first use."""

    digest = models.CharField(max_length=64, primary_key=True)
    version = models.CharField(max_length=40)
    definition = models.JSONField()
    first_used_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-first_used_at",)

    def __str__(self) -> str:
        return f"{self.version} ({self.digest[:8]})"
