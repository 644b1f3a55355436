"""Runs that nobody works on, items that outlived their run, and counters that do not add up."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from heimdex.leases import LET_GO, forget_lapsed, free
from reprocess.actions.start_run import wake
from reprocess.models import ReprocessItem, ReprocessRun, RunCounter
from reprocess.reconcile.base import Check, Finding, Kind
from reprocess.reconcile.counters import Correction, corrections
from reprocess.rescue import WAKE_AGAIN_AFTER

STUCK = Kind(
    "stuck_runs",
    "runs wait for a worker for longer than the rescue of workers allows",
    "wakes a worker for them, who goes on or ends them",
    "Workers seem not to run: manage.py status tells, manage.py up (or work) starts them.",
)
OPEN_ITEMS = Kind(
    "open_items",
    "videos are still open in runs that have ended, and no worker is at them",
    "cancels them",
    "Run reconcile --repair again.",
)
COUNTERS = Kind(
    "run_counters",
    "counters of runs that have ended do not add up",
    "sets them to the sums over the runs' videos",
    "Run reconcile --repair again.",
)
# The rescue wakes a worker after WAKE_AGAIN_AFTER; twice that long, and nobody rescues.
STUCK_AFTER = 2 * WAKE_AGAIN_AFTER


class Runs(Check):
    """Runs over everything are looked at when no owner is asked for."""

    order = 70
    kinds = (STUCK, OPEN_ITEMS, COUNTERS)

    def find(self, owner_id: UUID | None) -> Iterator[Finding]:
        now = timezone.now()
        stuck = _stuck(now)
        items = _left_open()
        counters = RunCounter.objects.all()
        if owner_id:
            stuck, items, counters = stuck.filter(_of(owner_id)), items.filter(owner_id=owner_id), counters.filter(_of(owner_id, "run__"))
        for run in stuck.order_by("pk"):
            yield Finding(STUCK, 1, f"{run.pk}: {run}", partial(_wake, run.pk, now))
        for run_id in items.order_by("run_id").values_list("run_id", flat=True).distinct():
            open_in_run = items.filter(run_id=run_id)
            yield Finding(OPEN_ITEMS, open_in_run.count(), str(run_id), partial(_cancel, open_in_run, now))
        for wrong in corrections(counters):
            yield Finding(COUNTERS, 1, f"{wrong.counter.run_id}: {wrong.counter}", partial(_correct, wrong))


def _of(owner_id: UUID, prefix: str = "") -> Q:
    of_owner: dict[str, Any] = {f"{prefix}owner_id": owner_id}
    of_video: dict[str, Any] = {f"{prefix}video__owner_id": owner_id}
    return Q(**of_owner) | Q(**of_video)


def _stuck(now: datetime) -> QuerySet[ReprocessRun]:
    at_work = ReprocessItem.objects.filter(run=OuterRef("pk"), lease_expires_at__gte=now)
    asleep = Q(woken_at__isnull=True) | Q(woken_at__lt=now - STUCK_AFTER)
    return ReprocessRun.objects.filter(asleep, ~Exists(at_work), state__in=ReprocessRun.OPEN)


def _left_open() -> QuerySet[ReprocessItem]:
    return ReprocessItem.objects.filter(free(), state__in=ReprocessItem.OPEN).exclude(run__state__in=ReprocessRun.UNFINISHED)


def _wake(run_id: UUID, now: datetime) -> int:
    with transaction.atomic():
        run = ReprocessRun.objects.select_for_update(no_key=True).filter(pk__in=_stuck(now).filter(pk=run_id).values("pk")).first()
        if run is None:
            return 0
        forget_lapsed(run.items.all(), now)
        wake(run.pk)
    return 1


def _cancel(items: QuerySet[ReprocessItem], now: datetime) -> int:
    return items.update(state=ReprocessItem.State.CANCELLED, finished_at=now, **LET_GO)


def _correct(wrong: Correction) -> int:
    with transaction.atomic():
        # Locked, so that nobody retries its failures meanwhile.
        run = ReprocessRun.objects.select_for_update().exclude(state__in=ReprocessRun.UNFINISHED).filter(pk=wrong.counter.run_id)
        return RunCounter.objects.filter(pk=wrong.counter.pk).update(**wrong.numbers) if run.first() else 0


CHECK = Runs()
