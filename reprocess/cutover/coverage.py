"""Coverage: what share of an owner's scenes a space holds."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, FilteredRelation, Q

from videos.models import EmbeddingSpace, Scene, SceneEmbedding, Video


@dataclass(frozen=True)
class Coverage:
    """How many of an owner's searchable scenes one channel's space holds, by state."""

    channel: str
    scenes: int
    embedded: int
    empty: int
    failed: int

    @property
    def missing(self) -> int:
        """The number of scenes that nothing was tried for yet."""
        return self.scenes - self.embedded - self.empty - self.failed

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {**asdict(self), "missing": self.missing}


def coverage(owner_id: UUID, spaces: Iterable[EmbeddingSpace]) -> list[Coverage]:
    """Count an owner's scenes of indexed videos in each space, one query a space."""
    return [_of_space(owner_id, space) for space in spaces]


def lacks(covered: Iterable[Coverage], max_failed: int) -> list[str]:
    """Say of each channel that is incomplete what it lacks; failures up to `max_failed` are tolerated. Pure."""
    sentences = []
    for channel in covered:
        failed = channel.failed if channel.failed > max_failed else 0
        parts = [f"{number} {what}" for number, what in ((channel.missing, "missing"), (failed, "failed")) if number]
        if parts:
            sentences.append(f"{channel.channel}: {', '.join(parts)} of {channel.scenes} scenes")
    return sentences


def _of_space(owner_id: UUID, space: EmbeddingSpace) -> Coverage:
    states = SceneEmbedding.State
    counts = (
        Scene.objects.filter(owner_id=owner_id, video__state=Video.State.INDEXED)
        .annotate(held=FilteredRelation("embeddings", condition=Q(embeddings__space=space)))
        .aggregate(scenes=Count("pk"), **{state: Count("pk", filter=Q(held__state=state)) for state in states.values})
    )
    return Coverage(space.channel, counts["scenes"], counts[states.EMBEDDED], counts[states.EMPTY], counts[states.FAILED])
