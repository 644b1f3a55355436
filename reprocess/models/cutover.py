"""Cutovers of owners."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from heimdex.fields import ErrorTextField
from reprocess.models.run import ReprocessRun


class Cutover(models.Model):
    """A cutover of one owner (made, refused, or a rollback), with the report that compares the search results."""

    class State(models.TextChoices):
        SWITCHED = "switched"
        REFUSED = "refused"
        ROLLED_BACK = "rolled back"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    run = models.ForeignKey(ReprocessRun, null=True, on_delete=models.SET_NULL, related_name="cutovers")
    state = models.CharField(max_length=11, choices=State.choices)
    before = models.JSONField(help_text="Active space per channel before the switch.")
    after = models.JSONField(help_text="Active space per channel after the switch, also if it was refused.")
    report = models.JSONField(default=dict, help_text="Overlap at 10, rank moves and coverage per channel.")
    reason = ErrorTextField(blank=True, help_text="Why the switch was refused.")
    created_at = models.DateTimeField(default=timezone.now)
    rolled_back_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-created_at",)
        indexes = (models.Index(fields=["owner", "-created_at"], name="cutover_owner_created"),)

    def __str__(self) -> str:
        return f"{self.owner_id}: {self.state}"
