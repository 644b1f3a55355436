"""Free what dead workers held, and wake workers for runs that nobody works on."""

from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from heimdex.leases import clear_expired
from heimdex.queue import REPROCESS, depth
from heimdex.redis_broker import QueueUnavailable
from reprocess.models import ReprocessItem, ReprocessRun
from reprocess.runs.control import wake_run

log = structlog.get_logger(__name__)

WAKE_AGAIN_AFTER = timedelta(minutes=10)


def rescue() -> int:
    """Wake a worker for every run whose leases ran out or whose wake-up was lost; return how many."""
    now = timezone.now()
    items = ReprocessItem.objects.filter(run=OuterRef("pk"))
    lapsed = Exists(items.filter(lease_expires_at__lt=now))
    at_work = Exists(items.filter(lease_expires_at__gte=now))
    with transaction.atomic():
        stuck = list(
            ReprocessRun.objects.filter(state__in=ReprocessRun.OPEN)
            .filter(lapsed | (~at_work & Q(woken_at__lt=now - _patience())))
            .select_for_update(skip_locked=True)
        )
        clear_expired(ReprocessItem.objects.filter(run__in=stuck), now)
        for run in stuck:
            log.warning("Rescued a run that nobody works on", run_id=str(run.pk))
            wake_run(run.pk)
    return len(stuck)


def _patience() -> timedelta:
    """Return how long a run may be without a lease: a worker that dies before its first lease, or after its last, leaves no other trace.

    While tasks wait, the run's own may be among them, and more would only pile up.
    """
    try:
        waiting = depth(REPROCESS).waiting
    except QueueUnavailable:
        return WAKE_AGAIN_AFTER
    return WAKE_AGAIN_AFTER if waiting else timedelta(seconds=settings.LEASE_SECONDS)
