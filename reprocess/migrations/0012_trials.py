"""Add trials, and the scenes that their items compute."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reprocess", "0011_worker_specs")]

    operations = [
        migrations.CreateModel(
            name="Trial",
            fields=[
                (
                    "run",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="trial",
                        serialize=False,
                        to="reprocess.reprocessrun",
                    ),
                ),
                ("size", models.PositiveIntegerField(help_text="The most scenes of one owner that are sampled.")),
                (
                    "samples",
                    models.JSONField(
                        help_text="For each owner: the stale scenes, those that judgments name, and how many of each were sampled."
                    ),
                ),
                ("left_out", models.JSONField(default=list, help_text="What the trial does not cover, and why.")),
                (
                    "judged",
                    models.JSONField(
                        default=list, help_text="The judged queries of a file. Without them, the owner's own judgments are taken."
                    ),
                ),
                (
                    "report",
                    models.JSONField(help_text="What the full run would gain, cost and take. Empty until the trial has ended.", null=True),
                ),
            ],
            options={"ordering": ("run",)},
        ),
        migrations.AddField(
            model_name="reprocessitem",
            name="scene_ids",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.UUIDField(), help_text="The scenes of the video that a trial computes; empty for all.", null=True, size=None
            ),
        ),
    ]
