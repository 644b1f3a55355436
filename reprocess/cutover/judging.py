"""Judge a cutover before it is made: measure judged queries in the spaces before and after it, and tell which side is better."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import TextChoices
from rest_framework import serializers

from reprocess.cutover.ranking import rank_in_spaces
from videos.channels import get_channel
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
    """The mean nDCG@10 of judged queries before and after a cutover, and the difference (after minus before) with its interval.

    `channels` has the same for each channel alone whose space changes.
    """

    queries: int
    before: float
    after: float
    difference: Estimate
    notices: tuple[str, ...] = ()
    channels: Mapping[str, "JudgedChange"] = field(default_factory=dict)

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
    owner_id: UUID,
    queries: Sequence[ResolvedQuery],
    before: Sequence[EmbeddingSpace],
    after: Sequence[EmbeddingSpace],
    within: Collection[UUID] | None = None,
) -> JudgedChange | None:
    """Measure judged queries in two sets of an owner's spaces: in the library, or in the video that a query names.

    Without `queries`, the owner's saved judgments are taken. `within` limits both sides to some scenes, and the grades, too. Return None
    when there are no queries.
    """
    queries = queries or list_saved_queries(owner_id, MAX_SAVED_QUERIES)
    if within is not None:
        queries = limit_grades(queries, within)
    if not queries:
        return None
    changed = _list_changed_channels(before, after)
    notices: set[str] = set()
    gains: list[tuple[float, float]] = []
    by_channel: dict[str, list[tuple[float, float]]] = {channel: [] for channel in changed}
    for query in queries:
        ranked = rank_in_spaces(owner_id, query.judged.text, (before, after), query.video_id, within=within)
        notices.update(ranked.notices)
        first, second = ([scene.scene_id for scene in side] for side in ranked.sides)
        gains.append(_measure_sides(query, first, second))
        for channel, channel_gains in by_channel.items():
            channel_gains.append(_measure_sides(query, *(side[channel] for side in ranked.channels)))
    fused = compare_gains(gains, tuple(sorted(notices)))
    return replace(fused, channels={channel: compare_gains(channel_gains) for channel, channel_gains in by_channel.items()})


def limit_grades(queries: Sequence[ResolvedQuery], scene_ids: Collection[UUID]) -> list[ResolvedQuery]:
    """Return the queries with the grades of some scenes only. Leave out those of which no scene is relevant. Pure."""
    limited = [replace(query, grades={scene: grade for scene, grade in query.grades.items() if scene in scene_ids}) for query in queries]
    return [query for query in limited if any(grade > 0 for grade in query.grades.values())]


def _list_changed_channels(before: Sequence[EmbeddingSpace], after: Sequence[EmbeddingSpace]) -> list[str]:
    """Return the channels that text queries are compared with and whose space changes."""
    earlier = {space.channel: space for space in before}
    changed = (space.channel for space in after if earlier.get(space.channel, space) != space)
    return [channel for channel in changed if get_channel(channel).searched_by_text]


def _measure_sides(query: ResolvedQuery, before: Sequence[UUID], after: Sequence[UUID]) -> tuple[float, float]:
    return measure_ranking(before, query.grades).ndcg_10, measure_ranking(after, query.grades).ndcg_10


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
