"""Codes of the vectors of large libraries, in place of the HNSW indexes of whole spaces.

The columns of these indexes stay until the next release, because processes of the release before read them.
"""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models
from django.utils import timezone


def store_uncompressed(apps, schema_editor):
    """Store codes as they are: they cannot be compressed, and the attempt takes longer than to write them."""
    table = schema_editor.quote_name(apps.get_model("videos", "PackedBlock")._meta.db_table)
    for column in ("row_ids", "codes", "scales"):
        schema_editor.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTERNAL")


def mark_indexed(apps, schema_editor):
    """Keep processes of the release before from building indexes again that migration 0027 drops."""
    apps.get_model("videos", "EmbeddingSpace").objects.filter(indexed_at=None).update(indexed_at=timezone.now())


class Migration(migrations.Migration):
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
        migrations.RunPython(mark_indexed, migrations.RunPython.noop),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveField(model_name="embeddingspace", name="index_began_at"),
                migrations.RemoveField(model_name="embeddingspace", name="indexed_at"),
            ]
        ),
    ]
