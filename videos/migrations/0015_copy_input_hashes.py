"""Copy the input hashes of scenes from one column per channel to one row per channel."""

from django.db import migrations

# The columns as they were, by channel.
COLUMNS = {
    "transcript": "transcript_hash",
    "visual": "visual_hash",
    "summary": "summary_hash",
    "clip": "clip_hash",
    "person": "person_hash",
}
# Scenes per statement, each of which is a transaction: a large library locks no table for long, and an interrupted copy is resumed.
BATCH = 20_000


def copy_to_rows(apps, schema_editor):
    quote = schema_editor.quote_name
    values = ", ".join(f"('{channel}', scene.{quote(column)})" for channel, column in COLUMNS.items())
    statement = (
        "INSERT INTO videos_sceneinput (scene_id, owner_id, channel, hash) "
        f"SELECT scene.id, scene.owner_id, input.channel, input.hash FROM videos_scene scene CROSS JOIN LATERAL (VALUES {values}) "
        "AS input (channel, hash) WHERE scene.id = ANY(%s) ON CONFLICT (scene_id, channel) DO NOTHING"
    )
    _in_batches(apps, schema_editor, statement)


def copy_to_columns(apps, schema_editor):
    quote = schema_editor.quote_name
    for channel, column in COLUMNS.items():
        statement = (
            f"UPDATE videos_scene scene SET {quote(column)} = input.hash FROM videos_sceneinput input "
            f"WHERE input.scene_id = scene.id AND input.channel = '{channel}' AND scene.id = ANY(%s)"
        )
        _in_batches(apps, schema_editor, statement)


def _in_batches(apps, schema_editor, statement):
    scenes = apps.get_model("videos", "Scene").objects.using(schema_editor.connection.alias).order_by("pk").values_list("pk", flat=True)
    batch = list(scenes[:BATCH])
    while batch:
        schema_editor.execute(statement, [batch])
        batch = list(scenes.filter(pk__gt=batch[-1])[:BATCH])


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("videos", "0014_scene_inputs")]

    operations = [migrations.RunPython(copy_to_rows, copy_to_columns)]
