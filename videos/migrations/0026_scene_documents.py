"""What the search index in OpenSearch holds, and the outage of its server. The table stays empty where words are searched in PostgreSQL."""

import django.db.models.deletion
from django.db import migrations, models


_KINDS = [("storage", "Storage"), ("model", "Model"), ("disk", "Disk"), ("database", "Database"), ("search", "Search")]


class Migration(migrations.Migration):
    dependencies = [("videos", "0025_pack_vectors")]

    operations = [
        migrations.CreateModel(
            name="SceneDocument",
            fields=[
                (
                    "words",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="document",
                        serialize=False,
                        to="videos.scenewords",
                    ),
                ),
                ("index", models.CharField(help_text="Name of the index; while another one is built, of that one.", max_length=255)),
                ("text_hash", models.CharField(help_text="That of the words when they were sent.", max_length=32)),
                ("written_at", models.DateTimeField()),
            ],
            options={"ordering": ("words",)},
        ),
        migrations.AlterField(
            model_name="job",
            name="waits_for",
            field=models.CharField(blank=True, db_default="", default="", choices=_KINDS, max_length=8),
        ),
    ]
