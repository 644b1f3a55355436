"""The nearest vectors of one space: read one by one, or through the space's index where that reads fewer."""

from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, Func, OuterRef, Q, QuerySet, TextField, Value
from pgvector import HalfVector
from pgvector.django import CosineDistance

from heimdex.embedders.vectors import Vectors
from videos.models import EmbeddingSpace, Scene, SceneEmbedding
from videos.search.indexes import indexed_vector

# Reading this many vectors of one owner takes some tens of milliseconds and misses none.
SCANNED = 20_000
# The index also holds other owners' vectors, which are passed over: it reads on until enough are found, or this many were seen.
MOST_PASSED_OVER = 200_000
# At most 1000 in pgvector. The default of 40 is less than one pool.
CANDIDATES = 400

# A scene, its video, and the cosine of the angle to the query.
Near = tuple[UUID, UUID, float]


def nearest(scenes: QuerySet[Scene], owner_id: UUID, space: EmbeddingSpace, query: Vectors, size: int, *, narrowed: bool) -> list[Near]:
    """Return the `size` scenes nearest to the query (shape (dimensions,)), nearest first; of equally near ones of a video, the first.

    `narrowed` says that `scenes` are few of the owner's, which an index would pass over.
    """
    if not narrowed and uses_index(owner_id, space):
        found = _through_index(scenes, owner_id, space, query, size)
        # Fewer than asked: the index gave up among other owners' vectors.
        if len(found) == size:
            return found
    return _one_by_one(scenes, space, query, size)


def uses_index(owner_id: UUID, space: EmbeddingSpace) -> bool:
    """Say whether the owner's vectors are too many to read one by one."""
    return bool(space.indexed_at) and SceneEmbedding.objects.filter(owner_id=owner_id, space=space)[: SCANNED + 1].count() > SCANNED


def candidates(owner_id: UUID, space: EmbeddingSpace, query: Vectors, size: int) -> QuerySet[SceneEmbedding, tuple[UUID, float]]:
    """Return scene and distance of an owner's `size` nearest rows, in the words that the index is asked in."""
    embedded = SceneEmbedding.objects.filter(space=space, owner_id=owner_id, state=SceneEmbedding.State.EMBEDDED)
    near = embedded.annotate(distance=CosineDistance(indexed_vector(space), HalfVector(query))).order_by("distance")
    return near.values_list("scene_id", "distance")[:size]


def _through_index(scenes: QuerySet[Scene], owner_id: UUID, space: EmbeddingSpace, query: Vectors, size: int) -> list[Near]:
    with transaction.atomic():
        _set("hnsw.ef_search", str(CANDIDATES))
        _set("hnsw.iterative_scan", "strict_order")
        _set("hnsw.max_scan_tuples", str(MOST_PASSED_OVER))
        # Twice as many as asked for, because some may belong to videos that are not to be found.
        distances = dict(candidates(owner_id, space, query, 2 * size))
    current = SceneEmbedding.objects.filter(_says_what_is_said_now(space), scene=OuterRef("pk"), space=space)
    found = scenes.filter(Exists(current), pk__in=distances).values_list("pk", "video_id", "index")
    near = sorted((distances[scene_id], video_id, index, scene_id) for scene_id, video_id, index in found)
    return [(scene_id, video_id, 1.0 - distance) for distance, video_id, _, scene_id in near[:size]]


def _one_by_one(scenes: QuerySet[Scene], space: EmbeddingSpace, query: Vectors, size: int) -> list[Near]:
    rows = (
        SceneEmbedding.objects.filter(_says_what_is_said_now(space), space=space, state=SceneEmbedding.State.EMBEDDED, scene__in=scenes)
        .annotate(distance=CosineDistance("vector", HalfVector(query)))
        .order_by("distance", "scene__video_id", "scene__index")
        .values_list("scene_id", "scene__video_id", "distance")[:size]
    )
    return [(scene_id, video_id, 1.0 - distance) for scene_id, video_id, distance in rows]


def _says_what_is_said_now(space: EmbeddingSpace) -> Q:
    """Match rows but those of a transcript that its owner has edited since: by its new words the scene is found at once.

    The hashes alone would not do: a step that composes its texts in another way gives scenes other hashes than the vectors still have.
    """
    if space.channel != EmbeddingSpace.Channel.TRANSCRIPT:
        return Q()
    unedited = Q(scene__transcript_edited_at__isnull=True) | Q(scene__transcript_edited_at__lte=F("computed_at"))
    return unedited | Q(scene__transcript_hash=F("input_hash"))


def _set(name: str, value: str) -> None:
    """Set a parameter of pgvector until the transaction ends."""
    setting = Func(Value(name), Value(value), Value(True), function="set_config", output_field=TextField())
    EmbeddingSpace.objects.annotate(setting=setting).values_list("setting", flat=True)[:1].get()
