"""What was asked of workers for an owner's people and is not done yet."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class RenewalWanted(models.Model):
    """Somebody asked for an owner's people to be renewed; whoever has done so deletes the rows that were there when it began."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("created_at", "id")

    def __str__(self) -> str:
        return f"asked for {self.owner_id} at {self.created_at}"
