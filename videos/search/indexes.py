"""The HNSW index of a space: one partial index each, built when a space that is searched has become large, dropped with the space.

It stands over a cast of the column to its number of dimensions, so a query uses it only when it says the same cast.
"""

from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.contrib.postgres.indexes import OpClass
from django.db import DatabaseError, connection
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Cast
from django.utils import timezone
from pgvector.django import HalfVectorField, HnswIndex

from videos.models import ActiveSpace, EmbeddingSpace, SceneEmbedding

log = structlog.get_logger(__name__)

# A builder that has not finished by then is taken for dead.
BUILT_WITHIN = timedelta(hours=6)


def indexed_vector(space: EmbeddingSpace) -> Cast:
    """Return the expression that the space's index holds."""
    return Cast("vector", HalfVectorField(dimensions=space.dimensions))


def index_of(space: EmbeddingSpace) -> HnswIndex:
    """Return the space's index: cosine distance over its vectors alone."""
    return HnswIndex(
        OpClass(indexed_vector(space), name="halfvec_cosine_ops"), name=f"hnsw_{space.pk.hex[:24]}", condition=Q(space=space.pk)
    )


def unindexed() -> list[EmbeddingSpace]:
    """Return the spaces without an index that an owner's search reads and that have more than settings.INDEX_MIN_ROWS rows."""
    read = ActiveSpace.objects.filter(space=OuterRef("pk"))
    searched = EmbeddingSpace.objects.filter(Exists(read), indexed_at__isnull=True, channel__in=EmbeddingSpace.SEARCHED_BY_TEXT)
    return [space for space in searched if _is_large(space)]


def build_missing() -> int:
    """Index what is unindexed; return how many were built."""
    return sum(build_index(space) for space in unindexed())


def build_index(space: EmbeddingSpace) -> bool:
    """Build the space's index beside searches and writes; False when it is there, or another is at it. Call it outside transactions."""
    waiting = Q(index_began_at__isnull=True) | Q(index_began_at__lt=timezone.now() - BUILT_WITHIN)
    if not EmbeddingSpace.objects.filter(waiting, pk=space.pk, indexed_at__isnull=True).update(index_began_at=timezone.now()):
        return False
    try:
        # What a builder that died has left behind is not valid, and would be in the way.
        _change_schema("remove_index", space)
        _change_schema("add_index", space)
    except DatabaseError:
        EmbeddingSpace.objects.filter(pk=space.pk).update(index_began_at=None)
        raise
    EmbeddingSpace.objects.filter(pk=space.pk).update(indexed_at=timezone.now(), index_began_at=None)
    log.info("Space indexed", space=str(space.pk), channel=space.channel)
    return True


def drop_index(space: EmbeddingSpace) -> None:
    """Drop the space's index, if it has one; searches scan from here on. Call it outside transactions."""
    EmbeddingSpace.objects.filter(pk=space.pk).update(indexed_at=None)
    _change_schema("remove_index", space)


def _change_schema(what: str, space: EmbeddingSpace) -> None:
    # Not atomic, so that it can be concurrent: neither searches nor uploads wait for it.
    with connection.schema_editor(atomic=False) as editor:
        change: Any = getattr(editor, what)
        change(SceneEmbedding, index_of(space), concurrently=True)


def _is_large(space: EmbeddingSpace) -> bool:
    most: int = settings.INDEX_MIN_ROWS
    return SceneEmbedding.objects.filter(space=space)[: most + 1].count() > most
