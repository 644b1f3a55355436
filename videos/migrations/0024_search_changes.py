"""The outbox of the search index in OpenSearch. It stays empty where words are searched in PostgreSQL."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("videos", "0023_count_words")]

    operations = [
        migrations.CreateModel(
            name="SearchChange",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("scene_id", models.UUIDField(db_index=True)),
                ("owner_id", models.UUIDField(db_index=True, help_text="The owner whose document it is.")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("attempts", models.PositiveSmallIntegerField(default=0, help_text="How often OpenSearch has refused this document alone.")),
                ("tries_at", models.DateTimeField(default=django.utils.timezone.now, help_text="Not to be sent before.")),
                ("is_dead", models.BooleanField(default=False, help_text="Not to be sent again.")),
                ("error", models.TextField(blank=True)),
            ],
            options={"ordering": ("id",)},
        ),
    ]
