"""A channel that a new step declares: plans, edits, search and reconciliation treat it as they do the others.

`test_scratch_copy.py` adds the step to a copy of the project and takes it through real processes.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from heimdex.accounts.models import User
from heimdex.backends import get_text_embedder
from people.models import Person
from reprocess import steps
from reprocess.models import ReprocessRun
from reprocess.planning.scope import Scope
from reprocess.runs.requests import plan_run, start_run
from reprocess.runs.worker import run_worker
from tests.library import get_stored_hash, make_user, make_video
from videos import channels, input_hashes
from videos.actions.transcripts import edit_transcript
from videos.actions.videos import edit_video
from videos.embedding_texts import hash_input
from videos.models import ActiveSpace, Scene, SceneEmbedding, SceneInput, Video
from videos.search.service import SearchRequest, search

pytestmark = pytest.mark.django_db(transaction=True)

ALL = Scope("all")
CHANNEL = "opening_words"
STEP = '''
"""`scene_opening`: the first words that are said in a scene."""

from heimdex.embedders.base import TextEmbedder
from reprocess.steps.base import SceneStep
from videos.channels import TRANSCRIPT, Channel
from videos.embedding_texts import hash_input
from videos.input_hashes import SceneContent
from videos.models import Scene


class SceneOpeningStep(SceneStep):
    name = "scene_opening"
    order = 60
    code_version = 1
    fills = (Channel("opening_words", (TRANSCRIPT,), evidence="said", has_context=True),)
    embedder_alias = "text"
    params = {"words": 4}

    def compose_inputs(self, video_id):
        for scene in Scene.objects.filter(video=video_id).order_by("index"):
            text = " ".join(scene.transcript.split()[:4])
            yield scene, {"opening_words": SceneContent(hash_input(text), text)}

    def prepare(self, task, embedder):
        return task.source

    def embed(self, embedder, inputs):
        assert isinstance(embedder, TextEmbedder)
        return list(embedder.embed_documents(inputs))


STEP = SceneOpeningStep()
'''
TITLE_STEP = (
    STEP.replace("TRANSCRIPT", "TITLE")
    .replace('order_by("index")', 'select_related("video").order_by("index")')
    .replace('" ".join(scene.transcript.split()[:4])', "scene.video.title")
)
AddStep = Callable[..., None]


@pytest.fixture
def add_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AddStep]:
    """Return a function that adds the step's module to the others and registers it, as a start of Django does."""
    monkeypatch.setattr(channels, "_channels", dict(channels._channels))
    monkeypatch.setattr(input_hashes, "_composers", dict(input_hashes._composers))
    monkeypatch.setattr(steps, "__path__", [*steps.__path__, str(tmp_path)])

    def add(source: str = STEP) -> None:
        (tmp_path / "scene_opening.py").write_text(source)
        sys.modules.pop("reprocess.steps.scene_opening", None)
        steps.list_steps.cache_clear()
        steps.register_steps()

    yield add
    sys.modules.pop("reprocess.steps.scene_opening", None)
    steps.list_steps.cache_clear()


@pytest.fixture
def owner() -> User:
    return make_user()


def complete_run() -> ReprocessRun:
    started = start_run(ALL, force=False, entry_point=ReprocessRun.EntryPoint.COMMAND, requested_by=None)
    run_worker(started.pk)
    started.refresh_from_db()
    assert (started.state, started.error) == ("succeeded", "")
    return started


def plan_channels(force: bool = False) -> dict[str, tuple[dict[str, int], int, int]]:
    return {channel.channel: (channel.causes, channel.inputs, channel.model_calls) for channel in plan_run(ALL, force=force).channels}


def find_issues() -> dict[str, int]:
    output = StringIO()
    with suppress(CommandError):
        call_command("reconcile", "--json", stdout=output)
    issues = {check["name"]: check["found"] for check in json.loads(output.getvalue())["checks"] if check["found"]}
    # The library's videos have no files but keyframes.
    return {name: number for name, number in issues.items() if name not in ("missing_originals", "missing_pictures")}


def complete_queued_runs() -> int:
    queued = list(ReprocessRun.objects.filter(state__in=ReprocessRun.OPEN))
    for run in queued:
        run_worker(run.pk)
    return len(queued)


def list_channels_of_match(owner: User, query: str, scene: Scene) -> set[str]:
    return {match.channel for hit in search(owner, SearchRequest(query)).hits if hit.scene == scene for match in hit.matches}


def test_only_the_new_channel_is_computed_and_search_uses_it(owner: User, add_step: AddStep) -> None:
    video = make_video(owner)
    Person.objects.create(owner=owner, name="Ada")
    complete_run()
    before = set(ActiveSpace.objects.values_list("channel", flat=True))
    assert plan_run(ALL, force=False).stale == 0

    add_step()
    # Three of four scenes have speech. None has a hash yet, and only the new channel has anything to do.
    assert not SceneInput.objects.filter(channel=CHANNEL).exists()
    assert {channel: numbers for channel, numbers in plan_channels().items() if numbers[0]} == {CHANNEL: ({"missing": 4}, 3, 1)}

    complete_run()

    rows = SceneEmbedding.objects.filter(space__channel=CHANNEL)
    assert sorted(rows.values_list("scene__index", "state")) == [(0, "embedded"), (1, "embedded"), (2, "embedded"), (3, "empty")]
    for row in rows.select_related("scene"):
        assert row.input_hash == get_stored_hash(row.scene, CHANNEL)
    assert set(ActiveSpace.objects.values_list("channel", flat=True)) == before | {CHANNEL}
    assert plan_channels(force=True)[CHANNEL] == ({"forced": 4}, 3, 1)

    hits = search(owner, SearchRequest("planted tomatoes")).hits
    assert hits[0].scene == video.scenes.get(index=1)
    assert CHANNEL in {match.channel for match in hits[0].matches}
    assert channels.get_channel(CHANNEL).display_label == "opening words"


def test_an_edit_of_its_source_refreshes_it(owner: User, add_step: AddStep) -> None:
    add_step()
    video = make_video(owner)
    complete_run()
    scene = video.scenes.get(index=0)
    old = get_stored_hash(scene, CHANNEL)
    assert CHANNEL in list_channels_of_match(owner, "The quick boat sailed", scene)

    edit_transcript(owner, video.pk, scene.pk, "Two whales swam over the cold northern sea towards the harbour.")

    assert get_stored_hash(scene, CHANNEL) != old
    assert plan_channels()[CHANNEL] == ({"input changed": 1}, 1, 1)
    # The old vector is still stored, but the edited scene is not found by it.
    assert CHANNEL not in list_channels_of_match(owner, "The quick boat sailed", scene)
    complete_queued_runs()
    assert CHANNEL in list_channels_of_match(owner, "Two whales swam", scene)
    assert plan_run(ALL, force=False).stale == 0
    assert SceneEmbedding.objects.get(scene=scene, space__channel=CHANNEL).input_hash == get_stored_hash(scene, CHANNEL)


def test_changes_of_other_sources_do_not_read_its_source(owner: User, add_step: AddStep) -> None:
    add_step()
    video = make_video(owner)
    with CaptureQueriesContext(connection) as queries:
        input_hashes.refresh_input_hashes(video, channels.KEYFRAME)
    assert not any("transcript" in query["sql"] for query in queries if "SELECT" in query["sql"])
    edit_video(video, title="Another title")
    assert not ReprocessRun.objects.exists()


def test_an_edit_of_the_title_refreshes_a_channel_that_reads_it(owner: User, add_step: AddStep) -> None:
    add_step(TITLE_STEP)
    video, other = make_video(owner), make_video(owner, title="Another film")
    complete_run()
    assert plan_run(ALL, force=False).stale == 0

    edit_video(video, title="Whales of the north")

    assert {channel: numbers[0] for channel, numbers in plan_channels().items() if numbers[0]} == {CHANNEL: {"input changed": 4}}
    assert complete_queued_runs() == 1
    run = ReprocessRun.objects.get(entry_point="edit")
    assert (run.scope, run.video_id, run.requested_by) == ("video", video.pk, owner)
    assert plan_run(ALL, force=False).stale == 0
    for scene in [*video.scenes.all(), *other.scenes.all()]:
        assert get_stored_hash(scene, CHANNEL) == hash_input(Video.objects.get(pk=scene.video_id).title)

    # Neither the same title nor a description, which the channel does not read, changes an input.
    edit_video(video, title="Whales of the north", description="Filmed at dawn.")
    assert complete_queued_runs() == 0


def test_an_edit_of_the_title_during_an_ingest_queues_no_run(owner: User, add_step: AddStep) -> None:
    add_step(TITLE_STEP)
    video = make_video(owner)
    complete_run()
    Video.objects.filter(pk=video.pk).update(state=Video.State.PROCESSING)
    edit_video(video, title="Whales of the north")
    assert get_stored_hash(video.scenes.get(index=0), CHANNEL) == hash_input("Whales of the north")
    assert complete_queued_runs() == 0
    Video.objects.filter(pk=video.pk).update(state=Video.State.INDEXED)
    assert plan_channels()[CHANNEL][0] == {"input changed": 4}


def test_reconcile_finds_and_repairs_its_missing_and_stale_vectors(owner: User, add_step: AddStep) -> None:
    add_step()
    video = make_video(owner)
    complete_run()
    SceneEmbedding.objects.filter(space__channel=CHANNEL, scene__index=1).delete()
    SceneInput.objects.filter(scene__video=video, scene__index=0, channel=CHANNEL).update(hash="other")
    SceneInput.objects.filter(scene__video=video, scene__index=2, channel=CHANNEL).delete()
    assert find_issues() == {"missing_vectors": 1, "stale_vectors": 2}
    # It ends with an error for the files that cannot be repaired.
    with suppress(CommandError):
        call_command("reconcile", "--repair", stdout=StringIO())
    complete_queued_runs()
    assert find_issues() == {}


def test_a_hash_is_never_older_than_the_code_that_composes_it(owner: User, add_step: AddStep) -> None:
    """The lock makes the code version rise with the code. Then the plan says `step changed`, and the run stores the new hashes."""
    add_step()
    video = make_video(owner)
    complete_run()
    old = dict(SceneInput.objects.filter(channel=CHANNEL).values_list("scene", "hash"))
    add_step(STEP.replace("[:4]", "[:2]").replace("code_version = 1", "code_version = 2"))
    assert plan_channels()[CHANNEL] == ({"step changed": 4}, 3, 1)
    calls = get_text_embedder().calls
    complete_run()
    assert get_text_embedder().calls == calls + 1
    new = dict(SceneInput.objects.filter(channel=CHANNEL).values_list("scene", "hash"))
    spoken = set(video.scenes.exclude(transcript="").values_list("pk", flat=True))
    assert {scene for scene in old if old[scene] != new[scene]} == spoken
    for row in SceneEmbedding.objects.filter(space__channel=CHANNEL, space__active_for__owner=owner):
        assert row.input_hash == new[row.scene_id]
    assert plan_run(ALL, force=False).stale == 0
    input_hashes.refresh_input_hashes(video)
    assert dict(SceneInput.objects.filter(channel=CHANNEL).values_list("scene", "hash")) == new


def test_the_channel_of_a_removed_step_is_not_searched(owner: User, add_step: AddStep, monkeypatch: pytest.MonkeyPatch) -> None:
    add_step()
    make_video(owner)
    complete_run()
    monkeypatch.delitem(channels._channels, CHANNEL)
    matches = [match.channel for hit in search(owner, SearchRequest("planted tomatoes")).hits for match in hit.matches]
    assert "transcript" in matches
    assert CHANNEL not in matches
    assert Scene.objects.count() == 4
