"""The specs that running workers hold."""

from django.db import models


class WorkerSpec(models.Model):
    """A spec, and when a process whose workers hold it last reported it."""

    digest = models.CharField(max_length=64, primary_key=True)
    version = models.CharField(max_length=40)
    reported_at = models.DateTimeField()

    class Meta:
        ordering = ("-reported_at",)

    def __str__(self) -> str:
        return f"{self.version} ({self.digest[:8]})"
