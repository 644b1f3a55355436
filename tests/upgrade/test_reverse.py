"""The migrations of input hashes can be reversed: the hashes move back to columns, and forward to rows again."""

from pathlib import Path
from typing import Any

import psycopg
import pytest

from heimdex.database.server import EmbeddedServer
from tests.upgrade.test_recorded import RECORDED_DIRECTORY, restore, run

pytestmark = pytest.mark.integration

# Recorded before hashes became rows.
WITH_COLUMNS = RECORDED_DIRECTORY / "0.1-da1185c"
# The last migrations before hashes became rows. People first, because their migrations depend on those of videos.
BEFORE = (("people", "0005"), ("reprocess", "0006"), ("videos", "0012"))
COLUMNS = {
    "scenes": "SELECT id, transcript_hash, visual_hash, summary_hash, clip_hash, person_hash FROM videos_scene",
    "photos": "SELECT id, person_photo_hash FROM people_personphoto",
    "people": "SELECT id, person_query_hash FROM people_person",
}
ROWS = {
    "scenes": "SELECT scene_id, owner_id, channel, hash FROM videos_sceneinput",
    "photos": "SELECT photo_id, owner_id, channel, hash FROM people_photoinput",
    "people": "SELECT person_id, owner_id, channel, hash FROM people_personinput",
}


def test_input_hashes_survive_a_migration_back_and_forth(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path, durable=False)
    try:
        url = server.start().url
        restore(WITH_COLUMNS / "database.dump", url)
        columns = load(url, COLUMNS)
        run("manage.py", "migrate", "--noinput", home=tmp_path)
        rows = load(url, ROWS)
        for app, migration in BEFORE:
            run("manage.py", "migrate", app, migration, "--noinput", home=tmp_path)
        columns_again = load(url, COLUMNS)
        run("manage.py", "migrate", "--noinput", home=tmp_path)
        rows_again = load(url, ROWS)
    finally:
        server.stop()

    assert all(columns.values())
    assert columns_again == columns
    assert rows_again == rows
    # Five channels per scene. Only photos with a normalized copy have a hash.
    assert len(rows["scenes"]) == 5 * len(columns["scenes"])
    assert {(photo_id, value) for photo_id, _, _, value in rows["photos"]} == {row for row in columns["photos"] if row[1]}
    assert {(person_id, value) for person_id, _, _, value in rows["people"]} == set(columns["people"])


def load(url: str, queries: dict[str, str]) -> dict[str, list[tuple[Any, ...]]]:
    """Return the sorted rows of each query."""
    with psycopg.connect(url) as connection:
        return {name: sorted(connection.execute(query).fetchall()) for name, query in queries.items()}  # type: ignore[arg-type]
