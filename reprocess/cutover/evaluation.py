"""Compare search results before and after a cutover. Pure."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any
from uuid import UUID

from videos.models import EmbeddingSpace, Scene
from videos.search.fusion import fuse, limit_per_video
from videos.search.lexical.base import LexicalQuery
from videos.search.recorded_queries import list_evaluation_queries
from videos.search.service import MAX_PER_VIDEO, POOL_SIZE, search_words
from videos.search.vectors import search_spaces

MAX_QUERIES = 50
DEPTH = 10
# The report names the queries whose answers change most.
DETAILS = 20


@dataclass(frozen=True)
class QueryChange:
    """How the results of one query change. `query` is the id of the recorded query, because its owner may erase the text.

    `overlap` is the share of the first DEPTH scenes that both results have, 1 when both are empty. `rank_move` is the mean distance
    in ranks that the first DEPTH scenes before the cutover move, over those that are still in the results; None when none is.
    """

    query: int
    overlap: float
    rank_move: float | None


@dataclass(frozen=True)
class Comparison:
    """How the results of an owner's queries change."""

    changes: tuple[QueryChange, ...]

    @property
    def overlap(self) -> float | None:
        """The mean overlap. None without queries."""
        return fmean(change.overlap for change in self.changes) if self.changes else None

    @property
    def rank_move(self) -> float | None:
        """The mean move in ranks. None when no query has a scene in both results."""
        moves = [change.rank_move for change in self.changes if change.rank_move is not None]
        return fmean(moves) if moves else None

    def as_data(self) -> dict[str, Any]:
        """Return the comparison for JSON, with the DETAILS queries that change most."""
        worst = sorted(self.changes, key=lambda change: (change.overlap, -(change.rank_move or 0.0), change.query))[:DETAILS]
        return {
            "queries": len(self.changes),
            "overlap_at_10": self.overlap,
            "mean_rank_move": self.rank_move,
            "details": [asdict(change) for change in worst],
        }


def compare_spaces(owner_id: UUID, before: Sequence[EmbeddingSpace], after: Sequence[EmbeddingSpace]) -> dict[str, Any]:
    """Return how the results of the owner's saved and recent queries would change. Full text search counts the same in both."""
    scenes = Scene.objects.filter_searchable(owner_id)
    spaces = list({space.pk: space for space in (*before, *after)}.values())
    changes, notices = [], set()
    for query in list_evaluation_queries(owner_id, MAX_QUERIES):
        words = search_words(LexicalQuery(owner_id, query.text, POOL_SIZE))
        vectors = search_spaces(scenes, owner_id, spaces, query.text, POOL_SIZE)
        notices.update(vectors.notices)
        ranked_before, ranked_after = (
            [hit.scene_id for hit in limit_per_video(fuse([*words, *vectors.select(side)]), MAX_PER_VIDEO)] for side in (before, after)
        )
        changes.append(compare_results(query.pk, ranked_before, ranked_after))
    return {**Comparison(tuple(changes)).as_data(), "notices": sorted(notices)}


def compare_results(query: int, before: Sequence[UUID], after: Sequence[UUID]) -> QueryChange:
    """Compare two rankings of scenes for one query, best scene first."""
    first, second = before[:DEPTH], after[:DEPTH]
    longest = max(len(first), len(second))
    overlap = len(set(first) & set(second)) / longest if longest else 1.0
    ranks = {scene: rank for rank, scene in enumerate(after)}
    moves = [abs(ranks[scene] - rank) for rank, scene in enumerate(first) if scene in ranks]
    return QueryChange(query, overlap, fmean(moves) if moves else None)
