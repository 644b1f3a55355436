"""Runs without a worker, open items of ended runs, and wrong counters."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from heimdex.leases import clear_expired, unleased
from heimdex.rescue import WAKE_AGAIN_AFTER
from reprocess.models import ReprocessItem, ReprocessRun, RunCounter
from reprocess.reconcile.base import Check, Finding, IssueType
from reprocess.reconcile.counters import CounterCorrection, find_corrections
from reprocess.runs.control import wake_run
from reprocess.runs.rescue import cancel_lost_items

STUCK = IssueType(
    "stuck_runs",
    "runs have waited for a worker longer than the rescue allows",
    "wakes a worker, which continues or ends them",
    "Workers are probably not running. manage.py status shows them; manage.py up (or work) starts them.",
)
OPEN_ITEMS = IssueType(
    "open_items",
    "items are open in runs that have ended, and no worker has a lease on them",
    "cancels them",
    "Run reconcile --repair again.",
)
COUNTERS = IssueType(
    "run_counters",
    "counters of ended runs are wrong",
    "sets them to the sums over the runs' items",
    "Run reconcile --repair again.",
)
# The rescue wakes a worker after WAKE_AGAIN_AFTER. After twice that time, no rescue is running.
STUCK_AFTER = 2 * WAKE_AGAIN_AFTER


class Runs(Check):
    """Runs over everything are checked only when no owner is given."""

    order = 70
    issue_types = (STUCK, OPEN_ITEMS, COUNTERS)

    def find(self, owner_id: UUID | None) -> Iterator[Finding]:
        now = timezone.now()
        stuck = _stuck(now)
        items = _left_open()
        counters = RunCounter.objects.all()
        if owner_id:
            stuck, items, counters = (
                stuck.filter(_belongs_to(owner_id)),
                items.filter(owner_id=owner_id),
                counters.filter(_belongs_to(owner_id, "run__")),
            )
        for run in stuck.order_by("pk"):
            yield Finding(STUCK, 1, f"{run.pk}: {run}", partial(_wake, run.pk, now))
        for run_id in items.order_by("run_id").values_list("run_id", flat=True).distinct():
            run_items = items.filter(run_id=run_id)
            yield Finding(OPEN_ITEMS, run_items.count(), str(run_id), partial(cancel_lost_items, run_items))
        for correction in find_corrections(counters):
            example = f"{correction.counter.run_id}: {correction.counter}"
            yield Finding(COUNTERS, 1, example, partial(_correct, correction))


def _belongs_to(owner_id: UUID, prefix: str = "") -> Q:
    by_owner: dict[str, Any] = {f"{prefix}owner_id": owner_id}
    by_video: dict[str, Any] = {f"{prefix}video__owner_id": owner_id}
    return Q(**by_owner) | Q(**by_video)


def _stuck(now: datetime) -> QuerySet[ReprocessRun]:
    is_leased = ReprocessItem.objects.filter(run=OuterRef("pk"), lease_expires_at__gte=now)
    is_asleep = Q(woken_at__isnull=True) | Q(woken_at__lt=now - STUCK_AFTER)
    return ReprocessRun.objects.filter(is_asleep, ~Exists(is_leased), state__in=ReprocessRun.OPEN)


def _left_open() -> QuerySet[ReprocessItem]:
    return ReprocessItem.objects.filter(unleased(), state__in=ReprocessItem.OPEN).exclude(run__state__in=ReprocessRun.UNFINISHED)


def _wake(run_id: UUID, now: datetime) -> int:
    with transaction.atomic():
        run = ReprocessRun.objects.select_for_update(no_key=True).filter(pk__in=_stuck(now).filter(pk=run_id).values("pk")).first()
        if run is None:
            return 0
        clear_expired(run.items.all(), now)
        wake_run(run.pk)
    return 1


def _correct(correction: CounterCorrection) -> int:
    with transaction.atomic():
        # Lock the run, so that a retry of its failures waits.
        run = ReprocessRun.objects.select_for_update().exclude(state__in=ReprocessRun.UNFINISHED).filter(pk=correction.counter.run_id)
        return RunCounter.objects.filter(pk=correction.counter.pk).update(**correction.numbers) if run.first() else 0


CHECK = Runs()
