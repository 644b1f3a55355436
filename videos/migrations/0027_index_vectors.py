"""Indexes by which a search finds an owner's vectors in the order of their ids, and an owner's edited scenes.

They are built and dropped while others write. Only processes of the release before search the HNSW indexes, and without one they scan.
"""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


def drop_hnsw_indexes(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(r"SELECT indexname FROM pg_indexes WHERE schemaname = current_schema() AND indexname LIKE 'hnsw\_%'")
        names = [name for (name,) in cursor.fetchall()]
    for name in names:
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {schema_editor.quote_name(name)}")


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("videos", "0026_scene_documents")]

    operations = [
        AddIndexConcurrently(
            model_name="sceneembedding", index=models.Index(fields=["owner", "space", "id"], name="embedding_owner_space_id")
        ),
        RemoveIndexConcurrently(model_name="sceneembedding", name="embedding_owner_space"),
        AddIndexConcurrently(
            model_name="scene",
            index=models.Index(fields=["owner"], name="scene_owner_edited", condition=models.Q(transcript_edited_at__isnull=False)),
        ),
        migrations.RunPython(drop_hnsw_indexes, migrations.RunPython.noop),
    ]
