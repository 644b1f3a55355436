"""Words are analyzed in Python and have tables of their own.

The generated columns `search_vector` of scenes and videos, and their indexes, stay in the database: the previous release searches them. A
migration of the next release drops both columns. The rows of the new tables are written afterwards, by a recurring task of the workers or by
`manage.py index_words`.
"""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("videos", "0020_judgment"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveIndex("scene", "scene_search"),
                migrations.RemoveIndex("video", "video_search"),
                migrations.RemoveField("scene", "search_vector"),
                migrations.RemoveField("video", "search_vector"),
            ]
        ),
        migrations.CreateModel(
            name="SceneWords",
            fields=[
                (
                    "scene",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="lexemes",
                        serialize=False,
                        to="videos.scene",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
                (
                    "video",
                    models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="videos.video"),
                ),
                ("index", models.PositiveIntegerField(help_text="The scene's place in the video.")),
                ("spoken", django.contrib.postgres.search.SearchVectorField()),
                ("shown", django.contrib.postgres.search.SearchVectorField()),
                ("on_screen", django.contrib.postgres.search.SearchVectorField()),
                ("spoken_count", models.PositiveIntegerField(help_text="Number of words, repetitions included.")),
                (
                    "spoken_window",
                    models.FloatField(default=0.0, help_text="Weighted number of words of this scene and those near it."),
                ),
                ("shown_count", models.PositiveIntegerField()),
                ("on_screen_count", models.PositiveIntegerField()),
                ("text_hash", models.CharField(help_text="MD5 of owner, languages and texts.", max_length=32)),
            ],
            options={
                "verbose_name_plural": "scene words",
                "indexes": [
                    models.Index(fields=["video", "index"], name="scenewords_video_index"),
                    django.contrib.postgres.indexes.GinIndex(fields=["spoken", "shown", "on_screen"], name="scenewords_lexemes"),
                ],
            },
        ),
        migrations.CreateModel(
            name="VideoWords",
            fields=[
                (
                    "video",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="lexemes",
                        serialize=False,
                        to="videos.video",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
                ("title", django.contrib.postgres.search.SearchVectorField()),
                ("description", django.contrib.postgres.search.SearchVectorField()),
                ("spoken_scenes", models.PositiveIntegerField(help_text="Number of scenes with speech.")),
                ("spoken_windows", models.FloatField(help_text="Sum of spoken_window over the scenes with speech.")),
                ("shown_scenes", models.PositiveIntegerField(help_text="Number of scenes with a description or tags.")),
                ("shown_words", models.PositiveIntegerField()),
                ("on_screen_scenes", models.PositiveIntegerField(help_text="Number of scenes with on-screen text.")),
                ("on_screen_words", models.PositiveIntegerField()),
                ("text_hash", models.CharField(help_text="MD5 of owner, languages and texts.", max_length=32)),
                (
                    "languages",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=8), default=list, help_text="ISO 639-1 codes.", size=None
                    ),
                ),
                ("analysis_version", models.PositiveSmallIntegerField()),
            ],
            options={
                "verbose_name_plural": "video words",
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(fields=["title", "description"], name="videowords_lexemes"),
                ],
            },
        ),
        migrations.CreateModel(
            name="OwnerWord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "owner",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("word", models.CharField(max_length=64)),
                ("reversed", models.CharField(help_text="The word from its end, to look up endings.", max_length=64)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("owner", "word"), name="ownerword_word", opclasses=["uuid_ops", "varchar_pattern_ops"]
                    ),
                ],
                "indexes": [
                    models.Index(fields=["owner", "reversed"], name="ownerword_reversed", opclasses=["uuid_ops", "varchar_pattern_ops"]),
                ],
            },
        ),
    ]
