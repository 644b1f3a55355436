"""Runs without a worker, open items of ended runs, and wrong counters of ended runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import BigIntegerField, Count, Exists, F, Func, OuterRef, Q, QuerySet, Subquery, Sum, TextField, Value
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone

from heimdex.leases import WAKE_AGAIN_AFTER, clear_expired, is_unleased
from reprocess.models import ReprocessItem, ReprocessRun, RunCounter
from reprocess.reconcile.base import Check, Finding, IssueType
from reprocess.runs.counters import OUTCOMES
from reprocess.runs.rescue import cancel_lost_items
from reprocess.runs.state import enqueue_run

STUCK = IssueType(
    "stuck_runs",
    "runs have waited for a worker longer than the rescue allows",
    "queues them again, so that a worker continues or ends them",
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
# The rescue acts after WAKE_AGAIN_AFTER. After twice that time, no rescue is running.
STUCK_AFTER = 2 * WAKE_AGAIN_AFTER


@dataclass(frozen=True)
class CounterCorrection:
    """A wrong counter, and the numbers it should have."""

    counter: RunCounter
    numbers: dict[str, int]


class Runs(Check):
    """Runs over everything are checked only if no owner is given."""

    order = 70
    issue_types = (STUCK, OPEN_ITEMS, COUNTERS)

    def find(self, owner_id: UUID | None) -> Iterator[Finding]:
        now = timezone.now()
        stuck = _select_stuck(now)
        items = _select_left_open()
        counters = RunCounter.objects.all()
        if owner_id:
            stuck, items, counters = (
                stuck.filter(_belongs_to(owner_id)),
                items.filter(owner_id=owner_id),
                counters.filter(_belongs_to(owner_id, "run__")),
            )
        for run in stuck.order_by("pk"):
            yield Finding(STUCK, 1, f"{run.pk}: {run}", partial(_enqueue, run.pk, now))
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


def _select_stuck(now: datetime) -> QuerySet[ReprocessRun]:
    is_leased = ReprocessItem.objects.filter(run=OuterRef("pk"), lease_expires_at__gte=now)
    is_asleep = Q(woken_at__isnull=True) | Q(woken_at__lt=now - STUCK_AFTER)
    return ReprocessRun.objects.filter(is_asleep, ~Exists(is_leased), state__in=ReprocessRun.OPEN)


def _select_left_open() -> QuerySet[ReprocessItem]:
    return ReprocessItem.objects.filter(is_unleased(), state__in=ReprocessItem.OPEN).exclude(run__state__in=ReprocessRun.UNFINISHED)


def _enqueue(run_id: UUID, now: datetime) -> int:
    with transaction.atomic():
        run = ReprocessRun.objects.select_for_update(no_key=True).filter(pk__in=_select_stuck(now).filter(pk=run_id).values("pk")).first()
        if run is None:
            return 0
        clear_expired(run.items.all(), now)
        enqueue_run(run.pk)
    return 1


def find_corrections(counters: QuerySet[RunCounter]) -> Iterator[CounterCorrection]:
    """Yield the corrections of ended runs' counters, with one SQL statement.

    Unless a video was deleted, each outcome is the sum over the items. `planned` is the sum of all outcomes, or more in a run that was
    canceled or failed.
    """
    items = ReprocessItem.objects.filter(run=OuterRef("run")).order_by().values("run")
    sums = {f"items_{outcome}": Coalesce(Subquery(items.annotate(n=_sum_outcome(outcome)).values("n")), 0) for outcome in OUTCOMES}
    remaining = Coalesce(Subquery(items.annotate(n=Count("pk")).values("n")), 0)
    differs = Q()
    for outcome in OUTCOMES:
        differs |= ~Q(**{outcome: F(f"items_{outcome}")})
    total = F("done") + F("skipped") + F("empty") + F("failed")
    is_uneven = Q(planned__lt=total) | (Q(run__state__in=ReprocessRun.COMPLETED) & ~Q(planned=total))
    ended = counters.exclude(run__state__in=ReprocessRun.UNFINISHED).select_related("run").annotate(remaining=remaining, **sums)
    wrong = ended.filter(is_uneven | (Q(remaining=F("run__video_count")) & differs))
    for counter in wrong.order_by("pk").iterator(chunk_size=500):
        yield CounterCorrection(counter, _correct_numbers(counter))


def _sum_outcome(outcome: str) -> Sum:
    """Sum an outcome over the items of a counter's run, in the counter's channel."""
    number = Func(F("counts"), OuterRef("channel"), Value(outcome), function="jsonb_extract_path_text", output_field=TextField())
    return Sum(Cast(number, BigIntegerField()))


def _correct_numbers(counter: RunCounter) -> dict[str, int]:
    is_derivable = counter.remaining == counter.run.video_count  # type: ignore[attr-defined]
    numbers: dict[str, int] = {outcome: getattr(counter, f"items_{outcome}" if is_derivable else outcome) for outcome in OUTCOMES}
    total = sum(numbers.values())
    return {**numbers, "planned": total if counter.run.state in ReprocessRun.COMPLETED else max(total, counter.planned)}


def _correct(correction: CounterCorrection) -> int:
    with transaction.atomic():
        # Lock the run, so that a retry of its failures waits.
        run = ReprocessRun.objects.select_for_update().exclude(state__in=ReprocessRun.UNFINISHED).filter(pk=correction.counter.run_id)
        return RunCounter.objects.filter(pk=correction.counter.pk).update(**correction.numbers) if run.first() else 0


CHECK = Runs()
