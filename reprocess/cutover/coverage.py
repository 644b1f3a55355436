"""Coverage: what share of an owner's scenes, photos or people a space holds."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, FilteredRelation, Q

from reprocess.subjects import kind_of
from videos.models import EmbeddingRow, EmbeddingSpace


@dataclass(frozen=True)
class Coverage:
    """How many of an owner's scenes, photos or people (`kind`) one channel's space holds, by state."""

    channel: str
    kind: str
    subjects: int
    embedded: int
    empty: int
    failed: int

    @property
    def missing(self) -> int:
        """The number of those that nothing was tried for yet."""
        return self.subjects - self.embedded - self.empty - self.failed

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {**asdict(self), "missing": self.missing}


def coverage(owner_id: UUID, spaces: Iterable[EmbeddingSpace]) -> list[Coverage]:
    """Count what an owner has in each space, one query a space; videos and photos that are still being processed do not count."""
    return [_of_space(owner_id, space) for space in spaces]


def lacks(covered: Iterable[Coverage], max_failed: int) -> list[str]:
    """Say of each channel that is incomplete what it lacks; failures up to `max_failed` are tolerated. Pure."""
    sentences = []
    for channel in covered:
        failed = channel.failed if channel.failed > max_failed else 0
        parts = [f"{number} {what}" for number, what in ((channel.missing, "missing"), (failed, "failed")) if number]
        if parts:
            sentences.append(f"{channel.channel}: {', '.join(parts)} of {channel.subjects} {channel.kind}")
    return sentences


def _of_space(owner_id: UUID, space: EmbeddingSpace) -> Coverage:
    states, kind = EmbeddingRow.State, kind_of(space.channel)
    counts = (
        kind.searchable(owner_id)
        .annotate(held=FilteredRelation("embeddings", condition=Q(embeddings__space=space)))
        .aggregate(subjects=Count("pk"), **{state: Count("pk", filter=Q(held__state=state)) for state in states.values})
    )
    return Coverage(space.channel, kind.plural, counts["subjects"], counts[states.EMBEDDED], counts[states.EMPTY], counts[states.FAILED])
