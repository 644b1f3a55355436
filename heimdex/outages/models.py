"""The outages that last, the work that waits for their end, and files that could not be deleted during one."""

from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import models
from django.db.models import Q, QuerySet
from django.utils import timezone

from heimdex.fields import ErrorTextField
from heimdex.outages.classify import OutageKind
from heimdex.outages.delays import MAX_WAITS, compute_wait_s

M = TypeVar("M", bound=models.Model)


class Outage(models.Model):
    """An outage that lasts. Its row is deleted when a probe succeeds; then the work that waits for it continues."""

    kind = models.CharField(max_length=8, choices=OutageKind.choices, primary_key=True)
    reason = ErrorTextField(help_text="For operators: it may name servers and settings.")
    began_at = models.DateTimeField(default=timezone.now)
    failed_probes = models.PositiveIntegerField(default=0)
    next_probe_at = models.DateTimeField()

    class Meta:
        ordering = ("began_at",)

    def __str__(self) -> str:
        return f"{self.kind} since {self.began_at:%Y-%m-%d %H:%M}"


class PostponedDeletion(models.Model):
    """Files whose rows are gone, and that the storage could not delete: those under a prefix, or one file."""

    key = models.CharField(max_length=500, unique=True)
    is_prefix = models.BooleanField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.key


class WaitingModel(models.Model):
    """A row that can wait for the end of an outage. Meanwhile it has no lease, and no worker takes it."""

    # The defaults are the database's too, so that workers of an earlier release can add rows during an upgrade.
    waits_for = models.CharField(max_length=8, choices=OutageKind.choices, blank=True, default="", db_default="")
    waits = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False, help_text="How often in a row it has waited.")
    waits_until = models.DateTimeField(null=True, editable=False, help_text="Not to be tried before, even if the outage is over.")

    class Meta:
        abstract = True

    @property
    def has_waited_enough(self) -> bool:
        """Whether it failed so often although probes succeeded that the failure counts as its own."""
        return self.waits >= MAX_WAITS


# The update that ends a row's wait, once the work has succeeded or starts again from the beginning.
NOT_WAITING: dict[str, Any] = {"waits_for": "", "waits": 0, "waits_until": None}


def build_wait_update(row: WaitingModel, kind: OutageKind) -> dict[str, Any]:
    """Return the update with which a row waits for the end of an outage."""
    delay_s = compute_wait_s(row.waits)
    until = timezone.now() + timedelta(seconds=delay_s) if delay_s else None
    return {"waits_for": kind, "waits": row.waits + 1, "waits_until": until}


def filter_resumable(rows: QuerySet[M], now: datetime) -> QuerySet[M]:
    """Return the waiting rows whose outage is over, except those that have to wait longer."""
    waiting = rows.exclude(waits_for="").exclude(waits_for__in=Outage.objects.values("kind"))
    return waiting.filter(Q(waits_until__isnull=True) | Q(waits_until__lte=now))
