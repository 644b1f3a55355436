"""Compare the counters of ended runs with the sums over their items, and with the plan."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import BigIntegerField, Count, F, Func, OuterRef, Q, QuerySet, Subquery, Sum, TextField, Value
from django.db.models.functions import Cast, Coalesce

from reprocess.models import ReprocessItem, ReprocessRun, RunCounter
from reprocess.runs.counters import OUTCOMES

# Runs in these states have tried everything that was planned.
COMPLETED = (ReprocessRun.State.SUCCEEDED, ReprocessRun.State.PARTIAL)


@dataclass(frozen=True)
class CounterCorrection:
    """A wrong counter, and the numbers it should have."""

    counter: RunCounter
    numbers: dict[str, int]


def find_corrections(counters: QuerySet[RunCounter]) -> Iterator[CounterCorrection]:
    """Yield the corrections of ended runs' counters, in one statement.

    While no video was deleted, the outcomes are the sums over the items. `planned` is the sum of all outcomes, or more in a run
    that was canceled or failed.
    """
    items = ReprocessItem.objects.filter(run=OuterRef("run")).order_by().values("run")
    sums = {f"items_{outcome}": Coalesce(Subquery(items.annotate(n=_sum(outcome)).values("n")), 0) for outcome in OUTCOMES}
    remaining = Coalesce(Subquery(items.annotate(n=Count("pk")).values("n")), 0)
    differs = Q()
    for outcome in OUTCOMES:
        differs |= ~Q(**{outcome: F(f"items_{outcome}")})
    total = F("done") + F("skipped") + F("empty") + F("failed")
    is_uneven = Q(planned__lt=total) | (Q(run__state__in=COMPLETED) & ~Q(planned=total))
    ended = counters.exclude(run__state__in=ReprocessRun.UNFINISHED).select_related("run").annotate(remaining=remaining, **sums)
    wrong = ended.filter(is_uneven | (Q(remaining=F("run__video_count")) & differs))
    for counter in wrong.order_by("pk").iterator(chunk_size=500):
        yield CounterCorrection(counter, _correct_numbers(counter))


def _sum(outcome: str) -> Sum:
    """Return the sum of an outcome over the items of a counter's run, in the counter's channel."""
    number = Func(F("counts"), OuterRef("channel"), Value(outcome), function="jsonb_extract_path_text", output_field=TextField())
    return Sum(Cast(number, BigIntegerField()))


def _correct_numbers(counter: RunCounter) -> dict[str, int]:
    is_derivable = counter.remaining == counter.run.video_count  # type: ignore[attr-defined]
    numbers: dict[str, int] = {outcome: getattr(counter, f"items_{outcome}" if is_derivable else outcome) for outcome in OUTCOMES}
    total = sum(numbers.values())
    return {**numbers, "planned": total if counter.run.state in COMPLETED else max(total, counter.planned)}
