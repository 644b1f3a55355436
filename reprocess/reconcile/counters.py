"""Compare a run's counters with their parts: the sums over its videos, and what was planned."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import BigIntegerField, Count, F, Func, OuterRef, Q, QuerySet, Subquery, Sum, TextField, Value
from django.db.models.functions import Cast, Coalesce

from reprocess.completion import OUTCOMES
from reprocess.models import ReprocessItem, ReprocessRun, RunCounter

# Only these came to their end, so that nothing of the plan is left over.
WHOLE = (ReprocessRun.State.SUCCEEDED, ReprocessRun.State.PARTIAL)


@dataclass(frozen=True)
class Correction:
    """A counter that does not add up, and the numbers it should have."""

    counter: RunCounter
    numbers: dict[str, int]


def corrections(counters: QuerySet[RunCounter]) -> Iterator[Correction]:
    """Yield what is wrong in the counters of ended runs, in one statement.

    Outcomes follow from the videos, as long as none of them was deleted since; what was planned is all of them, or more in a run
    that was ended early.
    """
    items = ReprocessItem.objects.filter(run=OuterRef("run")).order_by().values("run")
    summed = {f"items_{outcome}": Coalesce(Subquery(items.annotate(n=_sum(outcome)).values("n")), 0) for outcome in OUTCOMES}
    alive = Coalesce(Subquery(items.annotate(n=Count("pk")).values("n")), 0)
    differ = Q()
    for outcome in OUTCOMES:
        differ |= ~Q(**{outcome: F(f"items_{outcome}")})
    total = F("done") + F("skipped") + F("empty") + F("failed")
    uneven = Q(planned__lt=total) | (Q(run__state__in=WHOLE) & ~Q(planned=total))
    ended = counters.exclude(run__state__in=ReprocessRun.UNFINISHED).select_related("run").annotate(alive=alive, **summed)
    wrong = ended.filter(uneven | (Q(alive=F("run__video_count")) & differ))
    for counter in wrong.order_by("pk").iterator(chunk_size=500):
        yield Correction(counter, _numbers(counter))


def _sum(outcome: str) -> Sum:
    """Return what the items of a counter's run have of an outcome in the counter's channel."""
    number = Func(F("counts"), OuterRef("channel"), Value(outcome), function="jsonb_extract_path_text", output_field=TextField())
    return Sum(Cast(number, BigIntegerField()))


def _numbers(counter: RunCounter) -> dict[str, int]:
    derivable = counter.alive == counter.run.video_count  # type: ignore[attr-defined]
    numbers: dict[str, int] = {outcome: getattr(counter, f"items_{outcome}" if derivable else outcome) for outcome in OUTCOMES}
    total = sum(numbers.values())
    return {**numbers, "planned": total if counter.run.state in WHOLE else max(total, counter.planned)}
