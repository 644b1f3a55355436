"""Requests to refresh an owner's people that no worker has finished yet."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class PeopleRefreshRequest(models.Model):
    """A request to refresh an owner's people. The worker deletes the requests that existed when it started."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("created_at", "id")

    def __str__(self) -> str:
        return f"refresh for {self.owner_id}, requested at {self.created_at}"
