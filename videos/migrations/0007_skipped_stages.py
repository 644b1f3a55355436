from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def skip(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """End the stages of failed videos that would otherwise be queued for ever."""
    apps.get_model("videos", "Job").objects.filter(video__state="failed", state__in=("queued", "running")).update(
        state="skipped", lease_token=None, lease_expires_at=None
    )


class Migration(migrations.Migration):
    dependencies = [("videos", "0006_edited_transcripts")]

    operations = [
        migrations.AlterField(
            model_name="job",
            name="state",
            field=models.CharField(
                choices=[("queued", "Queued"), ("running", "Running"), ("done", "Done"), ("failed", "Failed"), ("skipped", "Skipped")],
                default="queued",
                max_length=8,
            ),
        ),
        migrations.RunPython(skip, migrations.RunPython.noop),
    ]
