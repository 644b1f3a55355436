import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("videos", "0013_transcript_chunk"),
    ]

    operations = [
        migrations.CreateModel(
            name="SceneInput",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("channel", models.CharField(max_length=40)),
                ("hash", models.CharField(blank=True, max_length=64)),
                (
                    "owner",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "scene",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="inputs", to="videos.scene"
                    ),
                ),
            ],
            options={
                "abstract": False,
                "indexes": [models.Index(fields=["owner", "channel"], name="scene_input_owner_channel")],
                "constraints": [models.UniqueConstraint(fields=("scene", "channel"), name="scene_input_scene_channel")],
            },
        ),
    ]
