"""What people read about an outage. Owners read sentences without names of servers, addresses and settings."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from heimdex.outages.classify import OutageKind
from heimdex.outages.models import Outage, WaitingModel

WAITING_LABELS = {
    OutageKind.STORAGE: "Waiting for the storage",
    OutageKind.MODEL: "Waiting for a model",
    OutageKind.DISK: "Waiting for space on the server's disk",
    OutageKind.DATABASE: "Waiting for the database",
    OutageKind.SEARCH: "Waiting for the search server",
}
_TRIES_AGAIN = "{label}. Heimdex tries again at {time} and continues by itself."
_TRIES_SOON = "{label}. Heimdex tries again in a moment and continues by itself."
# The error codes and texts of work that failed again and again although the part works.
FAILURE_CODES = {
    OutageKind.STORAGE: "storage_failed",
    OutageKind.MODEL: "model_failed",
    OutageKind.DISK: "disk_full",
    OutageKind.DATABASE: "database_failed",
    OutageKind.SEARCH: "search_failed",
}
FAILURE_TEXTS = {
    OutageKind.STORAGE: "The storage refused this file's data for a day. Ask your administrator to look at the log, then retry.",
    OutageKind.MODEL: "A model could not process this for a day. Ask your administrator to look at the log, then retry.",
    OutageKind.DISK: "The server's disk had no space for this for a day. Ask your administrator to free some, then retry.",
    OutageKind.DATABASE: "The database was away again and again. Ask your administrator to look at the log, then retry.",
    OutageKind.SEARCH: "The search server took nothing for a day. Ask your administrator to look at the log, then retry.",
}
# The answers to requests that need a part that is away.
UNAVAILABLE = {
    OutageKind.STORAGE: "The server's storage does not answer. Nothing is lost. Try again in a minute.",
    OutageKind.MODEL: "A model of this server does not answer. Nothing is lost. Try again in a minute.",
    OutageKind.DATABASE: "The database does not answer. Nothing is lost. Try again in a minute.",
    OutageKind.SEARCH: "The search server does not answer. Nothing is lost. Try again in a minute.",
}
DISK_FULL = "The server's disk is full. Ask the administrator to free some space, then try again."
RETRY_AFTER_S = 60


@dataclass(frozen=True)
class Wait:
    """What a row waits for, as a label and a sentence, and when Heimdex tries again (None: in a moment)."""

    kind: str
    label: str
    text: str
    tries_at: datetime | None


def describe_wait(row: WaitingModel) -> Wait | None:
    """Return what a row waits for; None when it does not wait."""
    if not row.waits_for:
        return None
    next_probe = Outage.objects.filter(kind=row.waits_for).values_list("next_probe_at", flat=True).first()
    times = [time for time in (next_probe, row.waits_until) if time and time > timezone.now()]
    return build_wait(OutageKind(row.waits_for), max(times, default=None))


def build_wait(kind: OutageKind, tries_at: datetime | None) -> Wait:
    """Return the texts for a wait. The time is shown in the server's time zone."""
    label = WAITING_LABELS[kind]
    if tries_at is None:
        return Wait(kind, label, _TRIES_SOON.format(label=label), None)
    return Wait(kind, label, _TRIES_AGAIN.format(label=label, time=f"{timezone.localtime(tries_at):%H:%M:%S}"), tries_at)
