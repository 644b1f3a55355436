"""The sizes of tables on disk, from PostgreSQL's catalog."""

from django.apps.registry import Apps
from django.db import models
from django.db.models import BigIntegerField, BooleanField, F, Func


class _Relation(models.Model):
    oid = models.BigIntegerField(primary_key=True)
    relname = models.CharField(max_length=63)

    class Meta:
        # Apart from the project's models, so that no migration concerns it.
        apps = Apps()
        app_label = "catalog"
        managed = False
        db_table = "pg_class"

    def __str__(self) -> str:
        return self.relname


def measure_table(model: type[models.Model]) -> int:
    """Return the size of a model's table on disk in bytes, including long values and without indexes."""
    size = Func(F("oid"), function="pg_table_size", output_field=BigIntegerField())
    visible = Func(F("oid"), function="pg_table_is_visible", output_field=BooleanField())
    tables = _Relation._default_manager.annotate(size=size, visible=visible).filter(relname=model._meta.db_table, visible=True)
    return int(tables.values_list("size", flat=True).get())
