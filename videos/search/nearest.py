"""Find the nearest vectors of a space: with a scan, or through the space's index when that reads fewer vectors."""

from collections.abc import Collection
from functools import reduce
from operator import and_
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, Func, OuterRef, Q, QuerySet, TextField, Value
from pgvector import HalfVector
from pgvector.django import CosineDistance

from heimdex.embedders.vectors import Vectors
from videos.channels import get_channel
from videos.models import EmbeddingSpace, Scene, SceneEmbedding, SceneInput
from videos.search.indexes import cast_vector

# A scan of this many vectors takes some tens of milliseconds and misses none.
MAX_SCANNED = 20_000
# The index also contains the vectors of other owners, which are skipped. It stops after this many vectors.
MAX_SKIPPED = 200_000
# hnsw.ef_search: at most 1000 in pgvector. The default of 40 is less than one pool.
EF_SEARCH = 400

# A scene, its video, and the cosine similarity to the query.
NearScene = tuple[UUID, UUID, float]


def find_nearest(
    scenes: QuerySet[Scene], owner_id: UUID, space: EmbeddingSpace, query: Vectors, limit: int, *, is_restricted: bool
) -> list[NearScene]:
    """Return the `limit` scenes nearest to the query (shape (dimensions,)), nearest first. Equal ones of a video are in order of time.

    `is_restricted` means that `scenes` are only a few of the owner's scenes, which an index search would mostly skip.
    """
    if not is_restricted and uses_index(owner_id, space):
        nearest = _search_index(scenes, owner_id, space, query, limit)
        # With fewer, the index stopped among the vectors of other owners.
        if len(nearest) == limit:
            return nearest
    return _scan(scenes, space, query, limit)


def measure_similarities(space: EmbeddingSpace, query: Vectors, scene_ids: Collection[UUID]) -> dict[UUID, float]:
    """Return the cosine similarity of each scene that has a current vector in the space to the query, shape (dimensions,)."""
    rows = (
        SceneEmbedding.objects.filter(_is_current(space), space=space, state=SceneEmbedding.State.EMBEDDED, scene__in=scene_ids)
        .annotate(distance=CosineDistance("vector", HalfVector(query)))
        .values_list("scene_id", "distance")
    )
    return {scene_id: 1.0 - distance for scene_id, distance in rows}


def uses_index(owner_id: UUID, space: EmbeddingSpace) -> bool:
    """Return whether the owner has too many vectors for a scan."""
    return bool(space.indexed_at) and SceneEmbedding.objects.filter(owner_id=owner_id, space=space)[: MAX_SCANNED + 1].count() > MAX_SCANNED


def select_candidates(owner_id: UUID, space: EmbeddingSpace, query: Vectors, limit: int) -> QuerySet[SceneEmbedding, tuple[UUID, float]]:
    """Return scene and distance of an owner's `limit` nearest rows, in the form that the index supports."""
    embedded = SceneEmbedding.objects.filter(space=space, owner_id=owner_id, state=SceneEmbedding.State.EMBEDDED)
    near = embedded.annotate(distance=CosineDistance(cast_vector(space), HalfVector(query))).order_by("distance")
    return near.values_list("scene_id", "distance")[:limit]


def _search_index(scenes: QuerySet[Scene], owner_id: UUID, space: EmbeddingSpace, query: Vectors, limit: int) -> list[NearScene]:
    with transaction.atomic():
        _set("hnsw.ef_search", str(EF_SEARCH))
        _set("hnsw.iterative_scan", "strict_order")
        _set("hnsw.max_scan_tuples", str(MAX_SKIPPED))
        # Twice as many as requested, because some may belong to videos that are not indexed.
        distances = dict(select_candidates(owner_id, space, query, 2 * limit))
    current = SceneEmbedding.objects.filter(_is_current(space), scene=OuterRef("pk"), space=space)
    candidates = scenes.filter(Exists(current), pk__in=distances).values_list("pk", "video_id", "index")
    near = sorted((distances[scene_id], video_id, index, scene_id) for scene_id, video_id, index in candidates)
    return [(scene_id, video_id, 1.0 - distance) for distance, video_id, _, scene_id in near[:limit]]


def _scan(scenes: QuerySet[Scene], space: EmbeddingSpace, query: Vectors, limit: int) -> list[NearScene]:
    rows = (
        SceneEmbedding.objects.filter(_is_current(space), space=space, state=SceneEmbedding.State.EMBEDDED, scene__in=scenes)
        .annotate(distance=CosineDistance("vector", HalfVector(query)))
        .order_by("distance", "scene__video_id", "scene__index")
        .values_list("scene_id", "scene__video_id", "distance")[:limit]
    )
    return [(scene_id, video_id, 1.0 - distance) for scene_id, video_id, distance in rows]


def _is_current(space: EmbeddingSpace) -> Q:
    """Match all vectors except those whose input has changed and whose scene was edited after they were computed.

    Only edits of the channel's own sources count. Hashes alone are not enough: a step that composes texts in another way changes the
    hash of every scene.
    """
    edits = [f"scene__{source.edited_at}" for source in get_channel(space.channel).sources if source.edited_at]
    if not edits:
        return Q()
    unedited = [Q(**{f"{edited_at}__isnull": True}) | Q(**{f"{edited_at}__lte": F("computed_at")}) for edited_at in edits]
    current = SceneInput.objects.filter(scene=OuterRef("scene"), channel=space.channel, hash=OuterRef("input_hash"))
    return reduce(and_, unedited) | Q(Exists(current))


def _set(name: str, value: str) -> None:
    """Set a pgvector parameter until the end of the transaction."""
    setting = Func(Value(name), Value(value), Value(True), function="set_config", output_field=TextField())
    EmbeddingSpace.objects.annotate(setting=setting).values_list("setting", flat=True)[:1].get()
