"""The vector channels: the owner's active spaces, each searched with a query vector of its own model."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import structlog
from django.db.models import QuerySet
from pgvector import HalfVector
from pgvector.django import CosineDistance

from heimdex.backends import embedder
from heimdex.embedders.base import Embedder
from heimdex.embedders.errors import EmbedderError, EmbedderUnavailable
from heimdex.embedders.vectors import Vectors
from videos.models import ActiveSpace, EmbeddingSpace, Scene, SceneEmbedding
from videos.search.fusion import Ranked

log = structlog.get_logger(__name__)

OTHER_MODEL = (
    "The {channel} channel was left out: its vectors are of another model than the one that is configured. Reprocess the embeddings."
)
NO_MODEL = "The {channel} channel was left out: {reason}"


@dataclass(frozen=True)
class Pools:
    """What the vector channels found, and a sentence for each that could not be asked."""

    pools: list[list[Ranked]]
    notices: list[str]


def vector_pools(scenes: QuerySet[Scene], owner_id: UUID, text: str, size: int) -> Pools:
    """Return the nearest `size` scenes of every channel; matches below the model's floor are noise and left out."""
    found = Pools([], [])
    queries: dict[str, Vectors] = {}
    for space in _active_spaces(owner_id):
        alias = space.embedder["alias"]
        model = embedder(alias)
        if not _is_of(space, model):
            found.notices.append(OTHER_MODEL.format(channel=space.channel))
            continue
        try:
            if alias not in queries:
                queries[alias] = model.embed_queries([text])
        except (EmbedderUnavailable, EmbedderError) as error:
            log.warning("Query could not be embedded", channel=space.channel, reason=str(error))
            found.notices.append(NO_MODEL.format(channel=space.channel, reason=error))
            continue
        found.pools.append(_pool(scenes, space, queries[alias][0], size, model.similarity_floor))
    return found


def _active_spaces(owner_id: UUID) -> Iterator[EmbeddingSpace]:
    for active in ActiveSpace.objects.filter(owner_id=owner_id).select_related("space").order_by("channel"):
        yield active.space


def _is_of(space: EmbeddingSpace, model: Embedder) -> bool:
    identity = model.identity
    recorded = space.embedder
    return (identity.backend, identity.model, identity.revision, identity.dimensions) == (
        recorded["backend"],
        recorded["model"],
        recorded["revision"],
        recorded["dimensions"],
    )


def _pool(scenes: QuerySet[Scene], space: EmbeddingSpace, query: Vectors, size: int, floor: float) -> list[Ranked]:
    rows = (
        SceneEmbedding.objects.filter(space=space, state=SceneEmbedding.State.EMBEDDED, scene__in=scenes)
        .annotate(distance=CosineDistance("vector", HalfVector(query)))
        .order_by("distance", "scene_id")
        .values_list("scene_id", "scene__video_id", "distance")[:size]
    )
    near = [(scene_id, video_id, 1.0 - distance) for scene_id, video_id, distance in rows]
    return [
        Ranked(scene_id, video_id, space.channel, rank, similarity)
        for rank, (scene_id, video_id, similarity) in enumerate(near, start=1)
        if similarity >= floor
    ]
