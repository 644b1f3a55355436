"""The indexes of spaces as the database has them: whether they are there, valid, and how large."""

from dataclasses import dataclass

from django.apps.registry import Apps
from django.db import models
from django.db.models import BigIntegerField, BooleanField, F, Func

PREFIX = "hnsw_"

# PostgreSQL's own tables: not among the project's models, so that no migration is about them.
_CATALOGUE = Apps()


class _Relation(models.Model):
    oid = models.BigIntegerField(primary_key=True)
    relname = models.CharField(max_length=63)

    class Meta:
        apps = _CATALOGUE
        app_label = "catalogue"
        managed = False
        db_table = "pg_class"

    def __str__(self) -> str:
        return self.relname


class _Index(models.Model):
    relation = models.OneToOneField(_Relation, models.DO_NOTHING, db_column="indexrelid", primary_key=True)
    indisvalid = models.BooleanField()

    class Meta:
        apps = _CATALOGUE
        app_label = "catalogue"
        managed = False
        db_table = "pg_index"

    def __str__(self) -> str:
        return f"index {self.pk}"


@dataclass(frozen=True)
class BuiltIndex:
    """An index of a space: whether searches can use it, and its size on disk in bytes."""

    valid: bool
    size_bytes: int


def built_indexes() -> dict[str, BuiltIndex]:
    """Return the indexes of spaces by name, in one statement."""
    rows = (
        _Index._default_manager.filter(relation__relname__startswith=PREFIX)
        .annotate(
            visible=Func(F("relation__oid"), function="pg_table_is_visible", output_field=BooleanField()),
            size=Func(F("relation__oid"), function="pg_relation_size", output_field=BigIntegerField()),
        )
        .filter(visible=True)
        .values_list("relation__relname", "indisvalid", "size")
    )
    return {name: BuiltIndex(valid, size) for name, valid, size in rows}


def table_bytes(model: type[models.Model]) -> int:
    """Return what a model's table takes on disk, long values included and indexes not."""
    size = Func(F("oid"), function="pg_table_size", output_field=BigIntegerField())
    visible = Func(F("oid"), function="pg_table_is_visible", output_field=BooleanField())
    tables = _Relation._default_manager.annotate(size=size, visible=visible).filter(relname=model._meta.db_table, visible=True)
    return int(tables.values_list("size", flat=True).get())
