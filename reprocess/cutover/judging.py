"""Judge a cutover before it is made: measure judged queries in the spaces before and after it, and tell which side is better."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import TextChoices
from rest_framework import serializers

from reprocess.cutover.ranking import rank_in_spaces
from videos.evaluation.bootstrap import Estimate, estimate_difference
from videos.evaluation.measures import measure_ranking
from videos.evaluation.references import ResolvedQuery
from videos.evaluation.saved import list_saved_queries
from videos.models import EmbeddingSpace

# With fewer, even a loss in every query happens by chance more than once in 20 changes (two-sided sign test: 2 / 2 ** queries).
MIN_QUERIES = 6
# More saved queries than these would make a cutover slow.
MAX_SAVED_QUERIES = 100


class Verdict(TextChoices):
    """What judged queries tell about a change of spaces."""

    BETTER = "better"
    WORSE = "worse"
    NO_DIFFERENCE = "no difference"
    TOO_FEW = "too few to tell"


@dataclass(frozen=True)
class JudgedChange:
    """The mean nDCG@10 of judged queries before and after a cutover, and the difference (after minus before) with its interval."""

    queries: int
    before: float
    after: float
    difference: Estimate
    notices: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Better or worse only if the interval of 95 % of the draws lies on one side of 0, of at least MIN_QUERIES queries."""
        if self.queries < MIN_QUERIES:
            return Verdict.TOO_FEW
        if self.difference.low > 0:
            return Verdict.BETTER
        return Verdict.WORSE if self.difference.high < 0 else Verdict.NO_DIFFERENCE


class EstimateSerializer(serializers.Serializer[Estimate]):
    """A mean, and the interval that contains 95 % of the means of the bootstrap draws."""

    mean = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()


class JudgedChangeSerializer(serializers.Serializer[JudgedChange]):
    """The mean nDCG@10 of judged queries before and after a cutover."""

    queries = serializers.IntegerField()
    before = serializers.FloatField()
    after = serializers.FloatField()
    difference = EstimateSerializer()
    verdict = serializers.CharField()


def judge_spaces(
    owner_id: UUID, queries: Sequence[ResolvedQuery], before: Sequence[EmbeddingSpace], after: Sequence[EmbeddingSpace]
) -> JudgedChange | None:
    """Measure judged queries in two sets of an owner's spaces: in the library, or in the video that a query names.

    Without `queries`, the owner's saved judgments are taken. Return None when there are none.
    """
    queries = queries or list_saved_queries(owner_id, MAX_SAVED_QUERIES)
    if not queries:
        return None
    notices: set[str] = set()
    gains: list[tuple[float, float]] = []
    for query in queries:
        ranked = rank_in_spaces(owner_id, query.judged.text, (before, after), query.video_id)
        notices.update(ranked.notices)
        first, second = ([scene.scene_id for scene in side] for side in ranked.sides)
        gains.append((measure_ranking(first, query.grades).ndcg_10, measure_ranking(second, query.grades).ndcg_10))
    return compare_gains(gains, tuple(sorted(notices)))


def compare_gains(gains: Sequence[tuple[float, float]], notices: tuple[str, ...] = ()) -> JudgedChange:
    """Compare one measure before and after a cutover, given for each query (at least one). Pure."""
    before, after = [first for first, _ in gains], [second for _, second in gains]
    return JudgedChange(len(gains), fmean(before), fmean(after), estimate_difference(after, before), notices)


def explain_loss(report: dict[str, Any]) -> str:
    """Return why a cutover without force loses too much. Return an empty string if it does not, or without judged queries."""
    judged, limit = report.get("judged"), settings.CUTOVER_MAX_LOSS
    if not judged or judged["verdict"] != Verdict.WORSE or -judged["difference"]["mean"] <= limit:
        return ""
    difference = judged["difference"]
    return (
        f"{judged['queries']} judged queries find less: nDCG@10 falls from {judged['before']:.3f} to {judged['after']:.3f}, by "
        f"{-difference['mean']:.3f} (95 % of draws: {-difference['high']:.3f} to {-difference['low']:.3f}), more than "
        f"HEIMDEX_CUTOVER_MAX_LOSS ({limit:g}). Check the report. `manage.py cutover --force` switches anyway."
    )
