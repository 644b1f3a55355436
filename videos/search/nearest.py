"""Find the nearest vectors of a space: compare an owner's vectors one by one or, where they are many, first their codes."""

from collections.abc import Collection, Iterable
from functools import reduce
from operator import and_
from uuid import UUID

import numpy as np
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from pgvector import HalfVector
from pgvector.django import CosineDistance

from heimdex.database.copy_out import copy_out
from heimdex.embedders.vectors import Vectors
from videos.channels import get_channel
from videos.models import EmbeddingSpace, PackedBlock, PackedSpace, Scene, SceneEmbedding, SceneInput
from videos.search.packing import select_unpacked
from videos.search.vector_codes import EncodedVectors, count_words, rank_codes

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
    packed = PackedSpace.objects.filter(owner_id=owner_id, space=space, is_active=True).defer("center").first()
    if packed is None or (is_restricted and _are_few(scenes)):
        return _rate(_select_current(space).filter(owner_id=owner_id), scenes, query, limit)
    return _search_codes(packed, scenes, space, query, limit)


def measure_similarities(space: EmbeddingSpace, query: Vectors, scene_ids: Collection[UUID]) -> dict[UUID, float]:
    """Return the cosine similarity of each scene that has a current vector in the space to the query, shape (dimensions,)."""
    rows = (
        _select_current(space)
        .filter(scene__in=scene_ids)
        .annotate(distance=CosineDistance("vector", HalfVector(query)))
        .values_list("scene_id", "distance")
    )
    return {scene_id: 1.0 - distance for scene_id, distance in rows}


def _are_few(scenes: QuerySet[Scene]) -> bool:
    return scenes.order_by()[: MAX_SELECTED + 1].count() <= MAX_SELECTED


def _search_codes(packed: PackedSpace, scenes: QuerySet[Scene], space: EmbeddingSpace, query: Vectors, limit: int) -> list[NearScene]:
    scene_ids, encoded = _load_codes(packed, space)
    current = _select_current(space)
    unpacked = _rate(current.filter(pk__in=select_unpacked(packed)), scenes, query, limit)
    count = RESCORED
    while True:
        candidates = scene_ids[rank_codes(encoded, query, count)]
        near = _rate(current.filter(scene__in=[UUID(bytes=row.tobytes()) for row in candidates]), scenes, query, limit)
        if len(near) == limit or count >= len(scene_ids):
            return _merge(near, unpacked, limit)
        count *= WIDENING


def _load_codes(packed: PackedSpace, space: EmbeddingSpace) -> tuple[np.ndarray, EncodedVectors]:
    blocks = list(copy_out(PackedBlock.objects.filter(packed=packed).order_by("number").values_list("scene_ids", "codes", "scales")))
    scene_ids, codes, scales = (b"".join(columns) for columns in zip(*blocks, strict=True))
    words = np.frombuffer(codes, np.uint64).reshape(-1, count_words(space.dimensions))
    return np.frombuffer(scene_ids, np.uint8).reshape(-1, 16), EncodedVectors(words, np.frombuffer(scales, np.float16))


def _rate(rows: QuerySet[SceneEmbedding], scenes: QuerySet[Scene], query: Vectors, limit: int) -> list[NearScene]:
    nearest = (
        rows.filter(scene__in=scenes)
        .annotate(distance=CosineDistance("vector", HalfVector(query)))
        .order_by("distance", "scene__video_id", "scene__index")
        .values_list("scene_id", "scene__video_id", "distance")[:limit]
    )
    return [(scene_id, video_id, 1.0 - distance) for scene_id, video_id, distance in nearest]


def _merge(first: Iterable[NearScene], second: Iterable[NearScene], limit: int) -> list[NearScene]:
    """Return the nearest of both lists, of which both are in order."""
    by_scene = {scene_id: near for near in (*first, *second) for scene_id in near[:1]}
    return sorted(by_scene.values(), key=lambda near: -near[2])[:limit]


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
