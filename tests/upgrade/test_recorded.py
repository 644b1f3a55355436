"""Today's code takes over each recorded installation: it migrates, keeps its vectors, and answers as before."""

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import psycopg
import pytest

from heimdex.database.pg_commands import find_postgres_prefix
from heimdex.database.server import EmbeddedServer

ROOT = Path(__file__).resolve().parents[2]
RECORDED_DIRECTORY = Path(__file__).with_name("recorded")
RECORDED = sorted(path.parent for path in RECORDED_DIRECTORY.glob("*/about.json"))

# A query's vector in bfloat16, which some processors use, may move a score this close to the floor across it.
SIMILARITY_FLOOR, MARGIN = 0.2, 0.002
# A scene, and a channel that matched it.
Reason = tuple[str, str]
# Channels whose matches depend on vectors alone. How words match has changed.
VECTORS = {"transcript", "visual", "summary", "clip", "person"}

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("recording", RECORDED, ids=[path.name for path in RECORDED])
def test_a_recorded_installation_migrates_and_answers_as_before(recording: Path, tmp_path: Path) -> None:
    about = json.loads((recording / "about.json").read_text())
    with tarfile.open(recording / "media.tar") as archive:
        archive.extractall(tmp_path / "media", filter="data")
    server = EmbeddedServer(tmp_path, durable=False)
    try:
        url = server.start().url
        restore(recording / "database.dump", url)
        spaces = read_active_spaces(url)
        run("manage.py", "migrate", "--noinput", home=tmp_path)
        # The workers do this in the background after an upgrade.
        run("manage.py", "index_words", home=tmp_path)
        queries = [search["q"] for search in about["searches"]]
        now = json.loads(run("-m", "tests.upgrade.observe", about["owner_email"], *queries, home=tmp_path))
    finally:
        server.stop()

    assert spaces
    assert now["active_spaces"] == spaces
    causes = {channel["step"]: channel["causes"] for channel in now["plan"]["channels"] if channel["causes"]}
    # A step whose code version rose since the recording is named in about.json, with the reason.
    assert causes.keys() <= about.get("steps_changed_since", {}).keys()
    assert all(cause == "step changed" for step_causes in causes.values() for cause in step_causes)
    # Changed vectors are not searched before they are computed again.
    paused = {channel["channel"] for channel in now["plan"]["channels"] if channel["causes"]}
    for search in about["searches"]:
        best = search["hits"][0]
        if set(best["reasons"]) <= paused:
            continue
        hits = now["searches"][search["q"]]["results"]
        assert hits[0]["scene_id"] == best["scene_id"], search["q"]
        kept = {reason for reason in list_recorded([best]) if reason[1] in VECTORS - paused}
        assert kept <= list_reasons(hits) | list_uncertain(hits), search["q"]
    assert now["reconcile"]["clean"], now["reconcile"]


def restore(dump: Path, url: str) -> None:
    """Fill the empty database at `url` from a dump in pg_dump's custom format."""
    program = find_postgres_prefix() / "bin" / "pg_restore"
    subprocess.run([program, "--no-owner", "--exit-on-error", f"--dbname={url}", dump], check=True)


def read_active_spaces(url: str) -> list[list[str]]:
    """Return owner, channel and space of each active space, before anything is migrated."""
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT owner_id, channel, space_id FROM videos_activespace ORDER BY 1, 2").fetchall()
    return [[str(value) for value in row] for row in rows]


def list_reasons(hits: list[dict[str, Any]]) -> set[Reason]:
    """Return each scene of an answer with each channel that matched it."""
    return {(hit["scene_id"], match["channel"]) for hit in hits for match in hit["matches"]}


def list_recorded(hits: list[dict[str, Any]]) -> set[Reason]:
    """Return the same of a recorded answer."""
    return {(hit["scene_id"], channel) for hit in hits for channel in hit["reasons"]}


def list_uncertain(hits: list[dict[str, Any]]) -> set[Reason]:
    """Return the reasons whose score is so close to the floor that another processor may leave them out."""
    uncertain = ((hit, match) for hit in hits for match in hit["matches"] if abs(match["score"] - SIMILARITY_FLOOR) <= MARGIN)
    return {(hit["scene_id"], match["channel"]) for hit, match in uncertain}


def run(*arguments: str, home: Path) -> str:
    """Run Python in the installation whose home this is, and return what it prints."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HEIMDEX_")} | {"HEIMDEX_HOME": str(home)}
    ended = subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
