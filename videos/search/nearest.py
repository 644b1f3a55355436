"""Find the nearest vectors of a space: compare an owner's vectors one by one or, where they are many, first their codes."""

from collections.abc import Collection
from functools import reduce
from operator import and_
from uuid import UUID

import numpy as np
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from pgvector import HalfVector
from pgvector.django import CosineDistance

from heimdex.database.any_of import IsAnyOf
from heimdex.embedders.vectors import Vectors
from videos.channels import get_channel
from videos.models import EmbeddingSpace, PackedSpace, Scene, SceneEmbedding, SceneInput
from videos.search.packed_vectors import load_codes, read_unpacked
from videos.search.vector_codes import rank_codes

# Vectors with the best codes, which are compared themselves. recall@10 of queries unlike the library is .985 with half of them, .992 with
# these (`python -m bench L3`).
RESCORED = 2000
# Codes are compared before conditions are. Where so few of their scenes meet them that a channel is not filled, more are compared.
WIDENING = 8
# The vectors of so few selected scenes are compared one by one.
MAX_SELECTED = 10_000

# A scene, its video, and the cosine similarity to the query.
NearScene = tuple[UUID, UUID, float]


def find_nearest(
    scenes: QuerySet[Scene], owner_id: UUID, space: EmbeddingSpace, query: Vectors, limit: int, *, is_restricted: bool
) -> list[NearScene]:
    """Return the `limit` scenes nearest to the query (shape (dimensions,)), nearest first. Equal ones of a video are in order of time.

    `is_restricted` means that `scenes` are only some of the owner's scenes.
    """
    current = _select_current(space)
    packed = PackedSpace.objects.filter(owner_id=owner_id, space=space, is_active=True).defer("center").first()
    if packed is None or (is_restricted and _are_few(scenes)):
        return _rate(current.filter(owner_id=owner_id), scenes, query, limit)
    unpacked = read_unpacked(packed, space)
    packed_ids, encoded = load_codes(packed, space)
    count = RESCORED
    while True:
        nearest_unpacked = np.argsort(-(unpacked.vectors @ query))[: count // 4]
        candidates = np.concatenate([unpacked.scene_ids[nearest_unpacked], packed_ids[rank_codes(encoded, query, count)]])
        near = _rate(current.filter(IsAnyOf("scene_id", [UUID(bytes=row.tobytes()) for row in candidates])), scenes, query, limit)
        if len(near) == limit or count >= len(packed_ids):
            return near
        count *= WIDENING


def measure_similarities(space: EmbeddingSpace, query: Vectors, scene_ids: Collection[UUID]) -> dict[UUID, float]:
    """Return the cosine similarity of each scene that has a current vector in the space to the query, shape (dimensions,)."""
    rows = (
        _select_current(space)
        .filter(IsAnyOf("scene_id", scene_ids))
        .annotate(distance=CosineDistance("vector", HalfVector(query)))
        .values_list("scene_id", "distance")
    )
    return {scene_id: 1.0 - distance for scene_id, distance in rows}


def _are_few(scenes: QuerySet[Scene]) -> bool:
    return scenes.order_by()[: MAX_SELECTED + 1].count() <= MAX_SELECTED


def _rate(rows: QuerySet[SceneEmbedding], scenes: QuerySet[Scene], query: Vectors, limit: int) -> list[NearScene]:
    nearest = (
        rows.filter(scene__in=scenes)
        .annotate(distance=CosineDistance("vector", HalfVector(query)))
        .order_by("distance", "scene__video_id", "scene__index")
        .values_list("scene_id", "scene__video_id", "distance")[:limit]
    )
    return [(scene_id, video_id, 1.0 - distance) for scene_id, video_id, distance in nearest]


def _select_current(space: EmbeddingSpace) -> QuerySet[SceneEmbedding]:
    """Return all vectors except those whose input has changed and whose scene was edited after they were computed.

    Only edits of the channel's own sources count. Hashes alone are not enough: a step that composes texts in another way changes the
    hash of every scene.
    """
    embedded = SceneEmbedding.objects.filter(space=space, state=SceneEmbedding.State.EMBEDDED)
    edits = [f"scene__{source.edited_at}" for source in get_channel(space.channel).sources if source.edited_at]
    if not edits:
        return embedded
    unedited = [Q(**{f"{edited_at}__isnull": True}) | Q(**{f"{edited_at}__lte": F("computed_at")}) for edited_at in edits]
    current = SceneInput.objects.filter(scene=OuterRef("scene"), channel=space.channel, hash=OuterRef("input_hash"))
    return embedded.filter(reduce(and_, unedited) | Q(Exists(current)))
