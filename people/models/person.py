"""A person that an owner wants to find in videos."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone


class Person(models.Model):
    """A named person, found by the photos that the owner uploads."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="people")
    name = models.CharField(max_length=200)
    aliases = models.JSONField(default=list, blank=True, help_text="Other names that find this person: [name, …]")
    archived_at = models.DateTimeField(
        null=True, blank=True, help_text="When the person was archived. Archived people are hidden and not matched."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("name", "id")
        verbose_name_plural = "people"
        constraints = (
            models.UniqueConstraint(
                "owner", Lower("name"), name="person_owner_name", violation_error_message="You already have a person with this name."
            ),
        )
        indexes = (models.Index(fields=["owner", "-created_at"], name="person_owner_created"),)

    def __str__(self) -> str:
        return self.name

    @property
    def is_archived(self) -> bool:
        """Return whether this person is hidden and not matched."""
        return self.archived_at is not None


class PeopleRefreshRequest(models.Model):
    """A request to refresh an owner's people. The worker deletes the requests that existed when it started."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("created_at", "id")

    def __str__(self) -> str:
        return f"refresh for {self.owner_id}, requested at {self.created_at}"
