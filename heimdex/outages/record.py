"""Record that an outage began, and end it when a probe succeeds."""

from datetime import timedelta

import structlog
from django.db.models import F
from django.utils import timezone

from heimdex.outages.classify import OutageKind
from heimdex.outages.delays import compute_probe_delay_s
from heimdex.outages.models import Outage
from heimdex.outages.probes import find_problem

log = structlog.get_logger(__name__)


def begin_outage(kind: OutageKind, reason: str) -> None:
    """Record an outage, with its reason for operators. Log it once; while it lasts, another call changes nothing."""
    first_probe = timezone.now() + timedelta(seconds=compute_probe_delay_s(0))
    _, began = Outage.objects.get_or_create(kind=kind, defaults={"reason": reason, "next_probe_at": first_probe})
    if began:
        log.warning("An outage began; the work that it affects waits and continues by itself", kind=str(kind), reason=reason)


def has_outage(kind: OutageKind) -> bool:
    """Return whether an outage lasts that a probe has confirmed, so that trying is useless."""
    return Outage.objects.filter(kind=kind, failed_probes__gt=0).exists()


def probe_due_outages() -> None:
    """Probe every outage whose next probe is due, and end those that are over.

    What waits for them is found by the rescue of its app. Several processes may call this at once; one of them probes.
    """
    now = timezone.now()
    for outage in Outage.objects.filter(next_probe_at__lte=now):
        kind = OutageKind(outage.kind)
        delay = timedelta(seconds=compute_probe_delay_s(outage.failed_probes + 1))
        # Claimed before the probe, which may take long.
        if not Outage.objects.filter(pk=outage.pk, next_probe_at=outage.next_probe_at).update(next_probe_at=now + delay):
            continue
        if problem := find_problem(kind):
            Outage.objects.filter(pk=outage.pk).update(
                failed_probes=F("failed_probes") + 1, reason=problem, next_probe_at=timezone.now() + delay
            )
        else:
            outage.delete()
            lasted_s = round((timezone.now() - outage.began_at).total_seconds())
            log.warning("An outage is over; the waiting work continues", kind=str(kind), lasted_s=lasted_s)
