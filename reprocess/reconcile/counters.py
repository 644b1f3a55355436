"""Compare a run's counters with their parts: the sums over its videos, and what was planned."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import BigIntegerField, Count, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast, Coalesce

from reprocess.completion import OUTCOMES
from reprocess.models import ReprocessItem, ReprocessRun, RunCounter
from videos.models import EmbeddingSpace

# Only these came to their end, so that nothing of the plan is left over.
WHOLE = (ReprocessRun.State.SUCCEEDED, ReprocessRun.State.PARTIAL)


@dataclass(frozen=True)
class Correction:
    """A counter that does not add up, and the numbers it should have."""

    counter: RunCounter
    numbers: dict[str, int]


def corrections(counters: QuerySet[RunCounter]) -> Iterator[Correction]:
    """Yield what is wrong in the counters of ended runs, one statement a channel.

    Outcomes follow from the videos, as long as none of them was deleted since; what was planned is all of them, or more in a run
    that was ended early.
    """
    ended = counters.exclude(run__state__in=ReprocessRun.UNFINISHED).select_related("run").order_by("pk")
    for channel in EmbeddingSpace.Channel.values:
        items = ReprocessItem.objects.filter(run=OuterRef("run")).order_by().values("run")
        summed = {f"items_{outcome}": Coalesce(Subquery(items.annotate(n=_sum(channel, outcome)).values("n")), 0) for outcome in OUTCOMES}
        alive = Coalesce(Subquery(items.annotate(n=Count("pk")).values("n")), 0)
        of_channel = ended.filter(channel=channel).annotate(alive=alive, **summed)
        differ = Q()
        for outcome in OUTCOMES:
            differ |= ~Q(**{outcome: F(f"items_{outcome}")})
        total = F("done") + F("skipped") + F("empty") + F("failed")
        uneven = Q(planned__lt=total) | (Q(run__state__in=WHOLE) & ~Q(planned=total))
        for counter in of_channel.filter(uneven | (Q(alive=F("run__video_count")) & differ)).iterator(chunk_size=500):
            yield Correction(counter, _numbers(counter))


def _sum(channel: str, outcome: str) -> Sum:
    return Sum(Cast(KeyTextTransform(outcome, KeyTransform(channel, "counts")), BigIntegerField()))


def _numbers(counter: RunCounter) -> dict[str, int]:
    derivable = counter.alive == counter.run.video_count  # type: ignore[attr-defined]
    numbers: dict[str, int] = {outcome: getattr(counter, f"items_{outcome}" if derivable else outcome) for outcome in OUTCOMES}
    total = sum(numbers.values())
    return {**numbers, "planned": total if counter.run.state in WHOLE else max(total, counter.planned)}
