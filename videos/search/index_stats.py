"""The vector indexes that the database has: their names, validity and sizes."""

from dataclasses import dataclass

from django.apps.registry import Apps
from django.db import models
from django.db.models import BigIntegerField, BooleanField, F, Func

PREFIX = "hnsw_"

# PostgreSQL's catalog tables. They are not registered with the project's models, so no migration concerns them.
_CATALOG = Apps()


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
    """Return the indexes of spaces by name, with one query."""
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
