"""What owners have searched for: their history, the searches they have saved, and whether a history is kept."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

SEARCH_NAME_MAX_LENGTH = 200


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


class SavedSearch(models.Model):
    """A search that an owner has given a name: its query as typed, and its other parameters, as the endpoint takes them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=SEARCH_NAME_MAX_LENGTH)
    query = models.CharField(max_length=1000, blank=True)
    parameters = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("name", "id")
        verbose_name_plural = "saved searches"
        constraints = (
            models.UniqueConstraint(
                Lower("name"),
                "owner",
                name="saved_search_owner_name",
                violation_error_message="You already have a saved search with this name.",
            ),
        )

    def __str__(self) -> str:
        return self.name


class SearchPreferences(models.Model):
    """An owner's choice for the search. Without a row, queries are recorded."""

    owner = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+")
    records_queries = models.BooleanField(default=True, help_text="Whether searches are recorded in the history.")

    class Meta:
        verbose_name_plural = "search preferences"

    def __str__(self) -> str:
        return f"{self.owner_id}: {'history' if self.records_queries else 'no history'}"
