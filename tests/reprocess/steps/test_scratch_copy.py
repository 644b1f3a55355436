"""One new file in a copy of the project adds a channel: real processes check, plan, fill, search and reconcile it."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reprocess.models import ReprocessItem
from tests import media
from tests.acceptance.conftest import ROOT, Workers, build_worker_environment
from tests.library import make_user
from videos.ingest.pipeline import ingest
from videos.management.commands.ingest import upload_file
from videos.models import Video
from videos.registry import list_stages, override_stages

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900), pytest.mark.django_db(transaction=True)]

COPIED = ("heimdex", "videos", "people", "reprocess", "manage.py", "tests/__init__.py", "tests/hashing_embedder.py")
# The lengths of the shots of each film, in frames, and its title.
FILMS = (((50, 50), "whales"), ((60, 40), "lighthouse"))
STEP = '''
"""`scene_title`: the title of a scene's video, as a text."""

from heimdex.embedders.base import TextEmbedder
from reprocess.steps.base import SceneStep
from videos.channels import TITLE, Channel
from videos.embedding_texts import hash_input
from videos.input_hashes import SceneContent
from videos.models import Scene


class SceneTitleStep(SceneStep):
    name = "scene_title"
    order = 60
    code_version = 1
    fills = (Channel("title", (TITLE,), evidence="video"),)
    embedder_alias = "text"
    params = {}

    def compose_inputs(self, video_id):
        for scene in Scene.objects.filter(video=video_id).select_related("video").order_by("index"):
            yield scene, {"title": SceneContent(hash_input(scene.video.title), scene.video.title)}

    def prepare(self, task, embedder):
        return task.source

    def embed(self, embedder, inputs):
        assert isinstance(embedder, TextEmbedder)
        return list(embedder.embed_documents(inputs))


STEP = SceneTitleStep()
'''


class ScratchCopy:
    """A copy of the project's code, whose processes work on the suite's database and files."""

    def __init__(self, root: Path) -> None:
        for name in COPIED:
            source, target = ROOT / name, root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, target)
        self.root = root
        # No text is on screen, and the channel needs none.
        self.environment = build_worker_environment() | {"HEIMDEX_OCR": "off"}
        self.workers = Workers(root, root)

    def run_command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a management command to its end."""
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, cwd=self.root, env=self.environment, capture_output=True, text=True, timeout=300)

    def manage(self, *arguments: str) -> Any:
        """Run a management command with --json, which must succeed, and return its answer."""
        completed = self.run_command(*arguments, "--json")
        assert completed.returncode == 0, completed.stdout + completed.stderr
        return json.loads(completed.stdout)

    def search(self, query: str, email: str) -> dict[str, set[str]]:
        """Return the channels that match each found video, by title."""
        channels: dict[str, set[str]] = {}
        for hit in self.manage("search", query, "--owner", email)["results"]:
            channels.setdefault(hit["title"], set()).update(match["channel"] for match in hit["matches"])
        return channels


@pytest.fixture
def scratch(transactional_db: None, tmp_path: Path) -> Iterator[ScratchCopy]:
    copy = ScratchCopy(tmp_path / "project")
    yield copy
    copy.workers.stop()


def test_one_new_file_adds_a_channel(scratch: ScratchCopy, tmp_path: Path) -> None:
    owner = make_user()
    first, second = (shutil.copy(media.build_video(shots), tmp_path / f"{title}.mp4") for shots, title in FILMS)
    video = upload_file(owner, Path(first))
    # Its words and images do not matter here, so nothing transcribes, reads or describes them.
    with override_stages([stage for stage in list_stages() if stage.name not in ("transcript", "on_screen", "description")]):
        ingest(video.pk)
    assert Video.objects.get(pk=video.pk).state == Video.State.INDEXED

    (scratch.root / "reprocess" / "steps" / "scene_title.py").write_text(STEP)

    check = scratch.run_command("check", "--tag", "spec")
    assert check.returncode != 0
    assert "The step scene_title is new" in check.stderr
    assert scratch.run_command("spec", "--write-lock").returncode == 0

    # Each command checks the lock first.
    plan = scratch.manage("reprocess_embeddings", "--scope", "all", "--dry-run")
    causes = {channel["channel"]: channel["causes"] for channel in plan["channels"] if channel["causes"]}
    assert causes == {"title": {"missing": video.scenes.count()}}
    scratch.workers.serve(dict.fromkeys(("uploads", "reprocess"), scratch.environment))
    run = scratch.manage("reprocess_embeddings", "--scope", "all", "--no-cutover", "--wait")
    counters = {counter["channel"]: counter for counter in run["counters"]}
    assert counters["title"]["done"] == video.scenes.count()
    assert sum(counter["done"] for counter in counters.values()) == video.scenes.count()

    assert scratch.manage("cutover", "--owner", owner.email)["state"] == "switched"
    assert "title" in scratch.search("whales", owner.email)["whales"]

    # A new video has the channel from its ingest on.
    assert scratch.manage("ingest", str(second), "--owner", owner.email, "--wait")["videos"][0]["state"] == "indexed"
    assert "title" in scratch.search("lighthouse", owner.email)["lighthouse"]
    assert ReprocessItem.objects.count() == 1
    # It would also report stale vectors.
    assert scratch.manage("reconcile")["clean"]
