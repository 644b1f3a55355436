"""Compare the answers of two generations of vectors. Pure."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any
from uuid import UUID

DEPTH = 10
# The report names the queries whose answers change most.
DETAILS = 20


@dataclass(frozen=True)
class QueryChange:
    """How one query's answer changes: `query` is the recorded query's key, as its text is the owner's to erase.

    `overlap` is the share of the first DEPTH scenes that both answers have, 1 when both are empty. `rank_move` is the mean number
    of places by which the earlier answer's first DEPTH scenes move, of those that the later answer holds at all; None when it holds none.
    """

    query: int
    overlap: float
    rank_move: float | None


@dataclass(frozen=True)
class Comparison:
    """How the answers to an owner's queries change."""

    changes: tuple[QueryChange, ...]

    @property
    def overlap(self) -> float | None:
        """The mean overlap; None without queries."""
        return fmean(change.overlap for change in self.changes) if self.changes else None

    @property
    def rank_move(self) -> float | None:
        """The mean move in places; None when no query's answers share a scene."""
        moves = [change.rank_move for change in self.changes if change.rank_move is not None]
        return fmean(moves) if moves else None

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON holds it, with the DETAILS queries that change most."""
        worst = sorted(self.changes, key=lambda change: (change.overlap, -(change.rank_move or 0.0), change.query))[:DETAILS]
        return {
            "queries": len(self.changes),
            "overlap_at_10": self.overlap,
            "mean_rank_move": self.rank_move,
            "details": [asdict(change) for change in worst],
        }


def compare_answers(query: int, earlier: Sequence[UUID], later: Sequence[UUID]) -> QueryChange:
    """Compare two ranked answers to one query, best scene first."""
    first, second = earlier[:DEPTH], later[:DEPTH]
    longest = max(len(first), len(second))
    overlap = len(set(first) & set(second)) / longest if longest else 1.0
    places = {scene: place for place, scene in enumerate(later)}
    moves = [abs(places[scene] - place) for place, scene in enumerate(first) if scene in places]
    return QueryChange(query, overlap, fmean(moves) if moves else None)
