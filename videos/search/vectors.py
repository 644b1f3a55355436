"""The vector channels: spaces, each searched with a query vector of its own model."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog
from django.db.models import QuerySet

from heimdex.embedders.base import Embedder
from heimdex.embedders.errors import EmbedderError, EmbedderUnavailable
from heimdex.embedders.vectors import Vectors
from heimdex.recorded import embedder_of
from videos.models import ActiveSpace, EmbeddingSpace, Scene
from videos.search.fusion import Ranked, ranked
from videos.search.nearest import nearest

log = structlog.get_logger(__name__)

LEFT_OUT = "The {channel} channel was left out: {reason}"


@dataclass(frozen=True)
class Pools:
    """What each space's channel found, by the space's id, and a sentence for each that could not be asked."""

    by_space: dict[UUID, list[Ranked]]
    notices: list[str]

    def of(self, spaces: Iterable[EmbeddingSpace]) -> list[list[Ranked]]:
        """Return the pools of some of the spaces."""
        return [self.by_space[space.pk] for space in spaces if space.pk in self.by_space]


def active_spaces(owner_id: UUID) -> list[EmbeddingSpace]:
    """Return what the owner's search reads. One statement, so that it is never half of one generation and half of another."""
    return [active.space for active in ActiveSpace.objects.filter(owner_id=owner_id).select_related("space").order_by("channel")]


def vector_pools(
    scenes: QuerySet[Scene], owner_id: UUID, spaces: Sequence[EmbeddingSpace], text: str, size: int, *, narrowed: bool = False
) -> Pools:
    """Return the nearest `size` scenes of an owner in every space; matches below the model's floor are noise and left out.

    `narrowed` says that `scenes` are few of the owner's.
    """
    found = Pools({}, [])
    queries: dict[Embedder, Vectors] = {}
    for space in spaces:
        if space.channel not in EmbeddingSpace.SEARCHED_BY_TEXT:
            continue
        try:
            model = embedder_of(space.embedder)
            if model not in queries:
                queries[model] = model.embed_queries([text])
        except (EmbedderUnavailable, EmbedderError) as error:
            log.warning("Query could not be embedded", channel=space.channel, space=str(space.pk), reason=str(error))
            found.notices.append(LEFT_OUT.format(channel=space.channel, reason=error))
            continue
        near = nearest(scenes, owner_id, space, queries[model][0], size, narrowed=narrowed)
        found.by_space[space.pk] = ranked(space.channel, (row for row in near if row[2] >= model.similarity_floor))
    return found
