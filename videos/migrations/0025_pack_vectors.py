"""Codes of the vectors of large libraries, in place of the HNSW indexes of whole spaces.

Processes of the release before go on with their indexes, whose columns stay until the next release. The indexes themselves are dropped
here: only those processes search them, and without one they scan.
"""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


def drop_hnsw_indexes(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(r"SELECT indexname FROM pg_indexes WHERE schemaname = current_schema() AND indexname LIKE 'hnsw\_%'")
        names = [name for (name,) in cursor.fetchall()]
    for name in names:
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {schema_editor.quote_name(name)}")


def store_uncompressed(apps, schema_editor):
    """Store codes as they are: they cannot be compressed, and the attempt takes longer than to write them."""
    table = schema_editor.quote_name(apps.get_model("videos", "PackedBlock")._meta.db_table)
    for column in ("row_ids", "codes", "scales"):
        schema_editor.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTERNAL")


class Migration(migrations.Migration):
    # Indexes are built and dropped while others write.
    atomic = False

    dependencies = [("videos", "0024_search_changes"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.CreateModel(
            name="PackedSpace",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("center", models.BinaryField(help_text="What the vectors are relative to: float32, little-endian.")),
                ("packed_to", models.BigIntegerField(default=0, help_text="Highest id of a vector's row that is packed.")),
                (
                    "count",
                    models.PositiveIntegerField(default=0, help_text="Number of vectors with a code, replaced and deleted ones included."),
                ),
                ("packed_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "is_active",
                    models.BooleanField(default=False, help_text="Searches use it. The other one of the space is being built."),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "space",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="videos.embeddingspace"),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("owner", "space", "is_active"), name="packed_space_owner_space")]
            },
        ),
        migrations.CreateModel(
            name="PackedBlock",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("row_ids", models.BinaryField(help_text="int64, little-endian, ascending.")),
                ("codes", models.BinaryField(help_text="64-bit words, little-endian: the first of each code, then the second, and so on.")),
                ("scales", models.BinaryField(help_text="float16, little-endian.")),
                (
                    "packed",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="blocks", to="videos.packedspace"
                    ),
                ),
            ],
            options={"constraints": [models.UniqueConstraint(fields=("packed", "number"), name="packed_block_number")]},
        ),
        migrations.RunPython(store_uncompressed, migrations.RunPython.noop),
        migrations.AddField(
            model_name="embeddingspace",
            name="packing_checked_to",
            field=models.BigIntegerField(
                db_default=0,
                default=0,
                editable=False,
                help_text="Highest id of a vector that the packing of large libraries has considered.",
            ),
        ),
        AddIndexConcurrently(
            model_name="sceneembedding", index=models.Index(fields=["owner", "space", "id"], name="embedding_owner_space_id")
        ),
        RemoveIndexConcurrently(model_name="sceneembedding", name="embedding_owner_space"),
        AddIndexConcurrently(
            model_name="scene",
            index=models.Index(fields=["owner"], name="scene_owner_edited", condition=models.Q(transcript_edited_at__isnull=False)),
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveField(model_name="embeddingspace", name="index_began_at"),
                migrations.RemoveField(model_name="embeddingspace", name="indexed_at"),
            ]
        ),
        migrations.RunPython(drop_hnsw_indexes, migrations.RunPython.noop),
    ]
