"""A step in one new file fills a channel of its own: nothing else is written, and everything knows the channel."""

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
from reprocess.spec import LATEST_EMBEDDING_SPEC_VERSION
from reprocess.spec.lock import compute_digests, find_drift, read_lock
from tests.library import make_user, make_video, stored_hash
from videos import channels, input_hashes
from videos.actions.transcripts import edit_transcript
from videos.ingest.pipeline import ingest
from videos.ingest.schedule import start_ingest
from videos.models import ActiveSpace, Scene, SceneEmbedding, SceneInput, Video
from videos.registry import list_stages, override_stages
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
    fills = (Channel("opening_words", (TRANSCRIPT,), weight=5.0),)
    embedder_alias = "text"
    params = {"words": 4}

    def compose_inputs(self, video):
        for scene in Scene.objects.filter(video=video).order_by("index"):
            text = " ".join(scene.transcript.split()[:4])
            yield scene, {"opening_words": SceneContent(hash_input(text), text)}

    def prepare(self, task, embedder):
        return task.source

    def embed(self, embedder, inputs):
        assert isinstance(embedder, TextEmbedder)
        return list(embedder.embed_documents(inputs))


STEP = SceneOpeningStep()
'''
AddStep = Callable[..., None]


@pytest.fixture
def add_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AddStep]:
    """Return a function that puts the step's file among the others and starts Django's part of it again."""
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


def run() -> ReprocessRun:
    started = start_run(ALL, force=False, entrance=ReprocessRun.EntryPoint.COMMAND, requested_by=None)
    run_worker(started.pk)
    started.refresh_from_db()
    assert (started.state, started.error) == ("succeeded", "")
    return started


def planned(force: bool = False) -> dict[str, tuple[dict[str, int], int, int]]:
    return {channel.channel: (channel.causes, channel.inputs, channel.model_calls) for channel in plan_run(ALL, force=force).channels}


def reconciled() -> dict[str, int]:
    output = StringIO()
    with suppress(CommandError):
        call_command("reconcile", "--json", stdout=output)
    found = {issue["name"]: issue["found"] for issue in json.loads(output.getvalue())["checks"] if issue["found"]}
    # The library's videos have no files but keyframes.
    return {name: number for name, number in found.items() if name not in ("missing_originals", "missing_pictures")}


def test_an_installation_gains_the_channel_by_a_plan_a_run_and_a_cutover(owner: User, add_step: AddStep) -> None:
    video = make_video(owner)
    Person.objects.create(owner=owner, name="Ada")
    run()
    before = set(ActiveSpace.objects.values_list("channel", flat=True))
    assert plan_run(ALL, force=False).stale == 0

    add_step()
    # Three of four scenes have speech. None has a hash yet, and only the new channel has anything to do.
    assert not SceneInput.objects.filter(channel=CHANNEL).exists()
    assert {channel: numbers for channel, numbers in planned().items() if numbers[0]} == {CHANNEL: ({"missing": 4}, 3, 1)}
    output = StringIO()
    call_command("reprocess_embeddings", "--scope", "all", "--dry-run", stdout=output)
    assert CHANNEL in output.getvalue()

    run()

    rows = SceneEmbedding.objects.filter(space__channel=CHANNEL)
    assert sorted(rows.values_list("scene__index", "state")) == [(0, "embedded"), (1, "embedded"), (2, "embedded"), (3, "empty")]
    for row in rows.select_related("scene"):
        assert row.input_hash == stored_hash(row.scene, CHANNEL)
    assert set(ActiveSpace.objects.values_list("channel", flat=True)) == before | {CHANNEL}
    assert plan_run(ALL, force=False).stale == 0
    assert planned(force=True)[CHANNEL] == ({"forced": 4}, 3, 1)
    assert reconciled() == {}

    hits = search(owner, SearchRequest("planted tomatoes")).hits
    assert hits[0].scene == video.scenes.get(index=1)
    # Its weight is the highest.
    assert hits[0].matches[0].channel == CHANNEL
    assert channels.get_channel(CHANNEL).display_label == "opening words"


def test_an_edit_of_its_source_renews_it_and_other_edits_do_not(owner: User, add_step: AddStep) -> None:
    add_step()
    video = make_video(owner)
    run()
    scene = video.scenes.get(index=0)
    old = stored_hash(scene, CHANNEL)

    edit_transcript(owner, video.pk, scene.pk, "A quick boat sailed over the cold northern sea towards the harbour.")

    assert stored_hash(scene, CHANNEL) != old
    assert planned()[CHANNEL] == ({"input changed": 1}, 1, 1)
    for queued in ReprocessRun.objects.filter(state__in=ReprocessRun.OPEN):
        run_worker(queued.pk)
    assert plan_run(ALL, force=False).stale == 0
    assert SceneEmbedding.objects.get(scene=scene, space__channel=CHANNEL).input_hash == stored_hash(scene, CHANNEL)

    with CaptureQueriesContext(connection) as queries:
        input_hashes.refresh_input_hashes(video, channels.KEYFRAME)
    assert not any("transcript" in query["sql"] for query in queries)


def test_an_ingest_fills_it(owner: User, add_step: AddStep) -> None:
    add_step()
    video = make_video(owner)
    SceneInput.objects.all().delete()
    Video.objects.filter(pk=video.pk).update(state=Video.State.PROCESSING)
    with override_stages([stage for stage in list_stages() if stage.name in ("summary", "embed", "index")]):
        start_ingest(video)
        ingest(video.pk)
    video.refresh_from_db()
    assert (video.state, video.error_text) == ("indexed", "")
    assert SceneEmbedding.objects.filter(space__channel=CHANNEL).count() == 4
    assert ActiveSpace.objects.filter(owner=owner, channel=CHANNEL).exists()
    assert plan_run(ALL, force=False).stale == 0


def test_reconciliation_finds_its_rows_missing_and_stale(owner: User, add_step: AddStep) -> None:
    add_step()
    video = make_video(owner)
    run()
    SceneEmbedding.objects.filter(space__channel=CHANNEL, scene__index=1).delete()
    SceneInput.objects.filter(scene__video=video, scene__index=0, channel=CHANNEL).update(hash="other")
    SceneInput.objects.filter(scene__video=video, scene__index=2, channel=CHANNEL).delete()
    assert reconciled() == {"missing_vectors": 1, "stale_vectors": 2}
    # It ends with an error for the files that cannot be repaired.
    with suppress(CommandError):
        call_command("reconcile", "--repair", stdout=StringIO())
    for queued in ReprocessRun.objects.filter(state__in=ReprocessRun.OPEN):
        run_worker(queued.pk)
    assert reconciled() == {}


def test_the_lock_names_the_step_until_it_is_written(add_step: AddStep) -> None:
    add_step()
    drift = find_drift(read_lock(), compute_digests(), LATEST_EMBEDDING_SPEC_VERSION)
    assert drift == [f"The step scene_opening is new, but the spec version is still {LATEST_EMBEDDING_SPEC_VERSION}."]


def test_a_hash_is_never_older_than_the_code_that_composes_it(owner: User, add_step: AddStep) -> None:
    """The lock makes the code version rise with the code. Then the plan says `step changed`, and the run stores the new hashes."""
    add_step()
    video = make_video(owner)
    run()
    old = dict(SceneInput.objects.filter(channel=CHANNEL).values_list("scene", "hash"))
    add_step(STEP.replace("[:4]", "[:2]").replace("code_version = 1", "code_version = 2"))
    assert planned()[CHANNEL] == ({"step changed": 4}, 3, 1)
    calls = get_text_embedder().calls
    run()
    assert get_text_embedder().calls == calls + 1
    new = dict(SceneInput.objects.filter(channel=CHANNEL).values_list("scene", "hash"))
    spoken = set(video.scenes.exclude(transcript="").values_list("pk", flat=True))
    assert {scene for scene in old if old[scene] != new[scene]} == spoken
    for row in SceneEmbedding.objects.filter(space__channel=CHANNEL, space__active_for__owner=owner):
        assert row.input_hash == new[row.scene_id]
    assert plan_run(ALL, force=False).stale == 0
    input_hashes.refresh_input_hashes(video)
    assert dict(SceneInput.objects.filter(channel=CHANNEL).values_list("scene", "hash")) == new


def test_a_channel_whose_step_is_gone_is_neither_searched_nor_an_error(
    owner: User, add_step: AddStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_step()
    make_video(owner)
    run()
    monkeypatch.delitem(channels._channels, CHANNEL)
    matches = [match.channel for hit in search(owner, SearchRequest("planted tomatoes")).hits for match in hit.matches]
    assert "transcript" in matches
    assert CHANNEL not in matches
    assert Scene.objects.count() == 4
