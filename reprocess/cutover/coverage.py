"""Coverage: which share of an owner's scenes, photos or people a space covers."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, FilteredRelation, Q

from reprocess.planning.targets import get_target_type
from videos.models import EmbeddingRow, EmbeddingSpace


@dataclass(frozen=True)
class Coverage:
    """How many of an owner's scenes, photos or people (`kind`) have a row in one channel's space, by state."""

    channel: str
    kind: str
    subjects: int
    embedded: int
    empty: int
    failed: int

    @property
    def missing(self) -> int:
        """The number without a row."""
        return self.subjects - self.embedded - self.empty - self.failed

    def as_data(self) -> dict[str, Any]:
        """Return the fields and `missing` for JSON."""
        return {**asdict(self), "missing": self.missing}


def measure_coverage(owner_id: UUID, spaces: Iterable[EmbeddingSpace]) -> list[Coverage]:
    """Count an owner's rows per space, with one query a space. Videos and photos that are still being processed do not count."""
    return [_measure_space(owner_id, space) for space in spaces]


def describe_gaps(coverage: Iterable[Coverage], max_failed: int) -> list[str]:
    """Return a sentence for each incomplete channel. Up to `max_failed` failures are tolerated. Pure."""
    sentences = []
    for channel in coverage:
        failed = channel.failed if channel.failed > max_failed else 0
        parts = [f"{number} {state}" for number, state in ((channel.missing, "missing"), (failed, "failed")) if number]
        if parts:
            sentences.append(f"{channel.channel}: {', '.join(parts)} of {channel.subjects} {channel.kind}")
    return sentences


def _measure_space(owner_id: UUID, space: EmbeddingSpace) -> Coverage:
    states, target_type = EmbeddingRow.State, get_target_type(space.channel)
    counts = (
        target_type.select_searchable(owner_id)
        .annotate(embedding=FilteredRelation("embeddings", condition=Q(embeddings__space=space)))
        .aggregate(targets=Count("pk"), **{state: Count("pk", filter=Q(embedding__state=state)) for state in states.values})
    )
    return Coverage(
        space.channel, target_type.plural, counts["targets"], counts[states.EMBEDDED], counts[states.EMPTY], counts[states.FAILED]
    )
