"""The HNSW indexes of spaces, and their sizes: one partial index per space, built when an active space has become large.

An index covers a cast of the column to the space's dimensions, so a query uses it only with the same cast.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from django.apps.registry import Apps
from django.conf import settings
from django.contrib.postgres.indexes import OpClass
from django.db import DatabaseError, connection, models
from django.db.models import BigIntegerField, BooleanField, Exists, F, Func, OuterRef, Q
from django.db.models.functions import Cast
from django.utils import timezone
from pgvector.django import HalfVectorField, HnswIndex

from videos.channels import list_text_channels
from videos.models import ActiveSpace, EmbeddingSpace, SceneEmbedding

log = structlog.get_logger(__name__)

# A build that has not finished by then counts as dead.
BUILD_TIMEOUT = timedelta(hours=6)

PREFIX = "hnsw_"
# PostgreSQL's catalog tables. They are not registered with the project's models, so no migration concerns them.
_CATALOG = Apps()


def cast_vector(space: EmbeddingSpace) -> Cast:
    """Return the expression that the space's index covers."""
    return Cast("vector", HalfVectorField(dimensions=space.dimensions))


def make_index(space: EmbeddingSpace) -> HnswIndex:
    """Return the definition of the space's index: cosine distance over its own vectors."""
    return HnswIndex(OpClass(cast_vector(space), name="halfvec_cosine_ops"), name=f"hnsw_{space.pk.hex[:24]}", condition=Q(space=space.pk))


def list_unindexed() -> list[EmbeddingSpace]:
    """Return the active spaces without an index that have more than settings.INDEX_MIN_ROWS rows."""
    read = ActiveSpace.objects.filter(space=OuterRef("pk"))
    searched = EmbeddingSpace.objects.filter(Exists(read), indexed_at__isnull=True, channel__in=list_text_channels())
    return [space for space in searched if _is_large(space)]


def build_missing_indexes() -> int:
    """Build the missing indexes. Return the number of new ones."""
    return sum(build_index(space) for space in list_unindexed())


def build_index(space: EmbeddingSpace) -> bool:
    """Build the index without blocking searches or writes. Call it outside transactions. Return False if it exists or is being built."""
    is_free = Q(index_began_at__isnull=True) | Q(index_began_at__lt=timezone.now() - BUILD_TIMEOUT)
    if not EmbeddingSpace.objects.filter(is_free, pk=space.pk, indexed_at__isnull=True).update(index_began_at=timezone.now()):
        return False
    try:
        # A build that died leaves an invalid index behind, which would block this one.
        _change_schema("remove_index", space)
        _change_schema("add_index", space)
    except DatabaseError:
        EmbeddingSpace.objects.filter(pk=space.pk).update(index_began_at=None)
        raise
    EmbeddingSpace.objects.filter(pk=space.pk).update(indexed_at=timezone.now(), index_began_at=None)
    log.info("Space indexed", space=str(space.pk), channel=space.channel)
    return True


def drop_index(space: EmbeddingSpace) -> None:
    """Drop the space's index, if it has one. Searches then scan. Call it outside transactions."""
    EmbeddingSpace.objects.filter(pk=space.pk).update(indexed_at=None)
    _change_schema("remove_index", space)


def _change_schema(operation: str, space: EmbeddingSpace) -> None:
    # Concurrent index changes cannot be atomic. Neither searches nor uploads wait for them.
    with connection.schema_editor(atomic=False) as editor:
        change: Any = getattr(editor, operation)
        change(SceneEmbedding, make_index(space), concurrently=True)


def _is_large(space: EmbeddingSpace) -> bool:
    min_rows: int = settings.INDEX_MIN_ROWS
    return SceneEmbedding.objects.filter(space=space)[: min_rows + 1].count() > min_rows


class _Relation(models.Model):
    oid = models.BigIntegerField(primary_key=True)
    relname = models.CharField(max_length=63)

    class Meta:
        apps = _CATALOG
        app_label = "catalog"
        managed = False
        db_table = "pg_class"

    def __str__(self) -> str:
        return self.relname


class _Index(models.Model):
    relation = models.OneToOneField(_Relation, models.DO_NOTHING, db_column="indexrelid", primary_key=True)
    indisvalid = models.BooleanField()

    class Meta:
        apps = _CATALOG
        app_label = "catalog"
        managed = False
        db_table = "pg_index"

    def __str__(self) -> str:
        return f"index {self.pk}"


@dataclass(frozen=True)
class IndexStats:
    """A space's index: whether searches can use it, and its size on disk in bytes."""

    valid: bool
    size_bytes: int


def list_indexes() -> dict[str, IndexStats]:
    """Return the statistics of every space's index by the index's name, with one query."""
    rows = (
        _Index._default_manager.filter(relation__relname__startswith=PREFIX)
        .annotate(
            visible=Func(F("relation__oid"), function="pg_table_is_visible", output_field=BooleanField()),
            size=Func(F("relation__oid"), function="pg_relation_size", output_field=BigIntegerField()),
        )
        .filter(visible=True)
        .values_list("relation__relname", "indisvalid", "size")
    )
    return {name: IndexStats(valid, size) for name, valid, size in rows}


def measure_table(model: type[models.Model]) -> int:
    """Return the size of a model's table on disk in bytes, including long values and without indexes."""
    size = Func(F("oid"), function="pg_table_size", output_field=BigIntegerField())
    visible = Func(F("oid"), function="pg_table_is_visible", output_field=BooleanField())
    tables = _Relation._default_manager.annotate(size=size, visible=visible).filter(relname=model._meta.db_table, visible=True)
    return int(tables.values_list("size", flat=True).get())
