"""Evaluate a cutover before it is made: run the owner's recorded queries in the spaces before and after it, and compare the results."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any
from uuid import UUID

from django.conf import settings
from rest_framework import serializers

from reprocess.cutover.coverage import Coverage, CoverageSerializer
from reprocess.cutover.judging import JudgedChange, JudgedChangeSerializer, explain_loss, judge_spaces
from reprocess.cutover.ranking import rank_in_spaces
from reprocess.cutover.switch import SpaceChange
from videos.evaluation.references import ResolvedQuery
from videos.models import EmbeddingSpace
from videos.search.fusion import limit_per_video
from videos.search.recorded_queries import extract_words, list_evaluation_queries
from videos.search.requests import MAX_PER_VIDEO

MAX_QUERIES = 50
# The number of scenes whose overlap is measured.
DEPTH = 10
# The number of queries in a report: those whose results change most.
DETAILS = 20


@dataclass(frozen=True)
class QueryChange:
    """How the results of one query change. `query` is the id of the recorded query, because its owner may erase the text.

    `overlap` is the share of the first DEPTH scenes that are in both results, and 1 when both are empty. `rank_move` is the mean distance
    in ranks that the first DEPTH scenes move. Scenes that are no longer in the results do not count. None when no scene is left.
    """

    query: int
    overlap: float
    rank_move: float | None


@dataclass(frozen=True)
class Comparison:
    """How the results of an owner's queries change, and the notices of the searches."""

    changes: tuple[QueryChange, ...]
    notices: tuple[str, ...] = ()

    @property
    def query_count(self) -> int:
        """The number of queries."""
        return len(self.changes)

    @property
    def overlap(self) -> float | None:
        """The mean overlap. None without queries."""
        return fmean(change.overlap for change in self.changes) if self.changes else None

    @property
    def rank_move(self) -> float | None:
        """The mean move in ranks. None when no query has a scene in both results."""
        moves = [change.rank_move for change in self.changes if change.rank_move is not None]
        return fmean(moves) if moves else None

    @property
    def largest_changes(self) -> list[QueryChange]:
        """The DETAILS queries whose results change most, the largest change first."""
        return sorted(self.changes, key=lambda change: (change.overlap, -(change.rank_move or 0.0), change.query))[:DETAILS]


class QueryChangeSerializer(serializers.Serializer[QueryChange]):
    """How the results of one query change."""

    query = serializers.IntegerField()
    overlap = serializers.FloatField()
    rank_move = serializers.FloatField(allow_null=True)


class ComparisonSerializer(serializers.Serializer[Comparison]):
    """How the results of an owner's queries change."""

    queries = serializers.IntegerField(source="query_count")
    overlap_at_10 = serializers.FloatField(source="overlap", allow_null=True)
    mean_rank_move = serializers.FloatField(source="rank_move", allow_null=True)
    details = QueryChangeSerializer(many=True, source="largest_changes")
    notices = serializers.ListField(child=serializers.CharField())


@dataclass(frozen=True)
class EvaluatedChange:
    """The report on a change of spaces, and why it must not be made without force. `refusal` is empty when it may be made."""

    report: dict[str, Any]
    refusal: str


def evaluate_change(change: SpaceChange, coverage: Iterable[Coverage], judged: Sequence[ResolvedQuery] = ()) -> EvaluatedChange:
    """Compare and judge a change of an owner's spaces by the owner's queries, and by `judged` ones (default: the owner's saved ones)."""
    before, after = list(change.before.values()), list(change.after.values())
    comparison = compare_spaces(change.owner_id, before, after)
    report = build_report(comparison, coverage, judge_spaces(change.owner_id, judged, before, after))
    return EvaluatedChange(report, explain_loss(report) or explain_low_overlap(report))


def compare_spaces(
    owner_id: UUID, before: Sequence[EmbeddingSpace], after: Sequence[EmbeddingSpace], within: Collection[UUID] | None = None
) -> Comparison:
    """Compare the results of an owner's saved and recent queries in two sets of spaces. Full text search adds the same to both sides.

    `within` limits both sides to some scenes.
    """
    changes: list[QueryChange] = []
    notices: set[str] = set()
    for query in list_evaluation_queries(owner_id, MAX_QUERIES):
        ranked = rank_in_spaces(owner_id, extract_words(query.text), (before, after), within=within)
        notices.update(ranked.notices)
        first, second = ([hit.scene_id for hit in limit_per_video(side, MAX_PER_VIDEO)] for side in ranked.sides)
        changes.append(compare_results(query.pk, first, second))
    return Comparison(tuple(changes), tuple(sorted(notices)))


def compare_results(query: int, before: Sequence[UUID], after: Sequence[UUID]) -> QueryChange:
    """Compare the rankings of scenes for one query before and after a cutover, best scene first. Pure."""
    first, second = before[:DEPTH], after[:DEPTH]
    longest = max(len(first), len(second))
    overlap = len(set(first) & set(second)) / longest if longest else 1.0
    ranks = {scene: rank for rank, scene in enumerate(after)}
    moves = [abs(ranks[scene] - rank) for rank, scene in enumerate(first) if scene in ranks]
    return QueryChange(query, overlap, fmean(moves) if moves else None)


def build_report(comparison: Comparison, coverage: Iterable[Coverage], judged: JudgedChange | None = None) -> dict[str, Any]:
    """Build the report of a cutover as its row stores it. `judged` is None without judged queries."""
    notices = {*comparison.notices, *(judged.notices if judged else ())}
    return {
        **ComparisonSerializer(comparison).data,
        "notices": sorted(notices),
        "judged": JudgedChangeSerializer(judged).data if judged else None,
        "coverage": CoverageSerializer(coverage, many=True).data,
    }


def explain_low_overlap(report: dict[str, Any]) -> str:
    """Return why the overlap is too low for a cutover without force. Return an empty string if it is not, or without recorded queries."""
    overlap, minimum = report["overlap_at_10"], settings.CUTOVER_MIN_OVERLAP
    if overlap is None or overlap >= minimum:
        return ""
    return (
        f"The results of {report['queries']} recorded queries share {overlap:.0%} of their first ten scenes, less than "
        f"HEIMDEX_CUTOVER_MIN_OVERLAP ({minimum:.0%}). Check the report. `manage.py cutover --force` switches anyway."
    )
