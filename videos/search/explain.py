"""Explain an answer: how long each part of the search took, and how many scenes it contributed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter


@dataclass(frozen=True)
class SearchPart:
    """A part of a search: its time in milliseconds, and the number of scenes that each channel contributed to the ranking."""

    name: str
    time_ms: float
    candidates: dict[str, int]


@dataclass
class Explanation:
    """The parts of a search so far, in the order in which they began. Words are searched beside vectors, within their time."""

    parts: list[SearchPart] = field(default_factory=list)

    @contextmanager
    def measure(self, name: str) -> Iterator[dict[str, int]]:
        """Measure a block as a part. The block fills in the number of candidates by channel."""
        candidates: dict[str, int] = {}
        place, started = len(self.parts), perf_counter()
        try:
            yield candidates
        finally:
            self.parts.insert(place, SearchPart(name, round((perf_counter() - started) * 1000, 3), candidates))
