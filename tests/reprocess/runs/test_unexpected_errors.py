"""An error that nobody expected costs the input that causes it, and nothing else."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any
from unittest import mock

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from heimdex.backends import get_text_embedder
from reprocess.models import ReprocessItem, ReprocessRun
from reprocess.planning.scope import Scope
from reprocess.runs.engine import embed_videos
from reprocess.runs.requests import start_run
from reprocess.runs.worker import run_worker
from reprocess.spec import get_effective_spec
from reprocess.steps.embedding_task import EmbeddingTask
from reprocess.steps.scene_clip import SceneClipStep
from tests.library import SAYINGS, make_user, make_video
from videos.models import Scene, SceneEmbedding

pytestmark = pytest.mark.django_db(transaction=True)

CULPRIT = "tomatoes"
SECRET = "sk-abcdefgh12345678"


@pytest.fixture
def run() -> ReprocessRun:
    """Return a queued run over two videos of different texts."""
    owner = make_user()
    # Long enough to need no context of their neighbors, so that one scene has the culprit.
    make_video(owner, [saying * 4 for saying in SAYINGS], title="First")
    make_video(owner, [f"{saying} again" * 4 for saying in ("The sea is calm", "Trains are late")], title="Second")
    return start_run(Scope("all"), force=False, entry_point="command", requested_by=None)


@pytest.fixture
def calls() -> Iterator[list[int]]:
    """Let the text model raise for the culprit, and collect the sizes of its batches."""
    sizes: list[int] = []
    embed = get_text_embedder().embed_documents

    def fail_for_culprit(texts: Sequence[str]) -> Any:
        sizes.append(len(texts))
        if any(text.startswith("She planted") for text in texts):
            raise RuntimeError(f"no kernel image, api_key={SECRET}")
        return embed(list(texts))

    with mock.patch.object(get_text_embedder(), "embed_documents", fail_for_culprit):
        yield sizes


def add_up(run: ReprocessRun) -> dict[str, tuple[int, int]]:
    """Return the planned and the counted targets of each channel."""
    return {c.channel: (c.planned, c.done + c.skipped + c.empty + c.failed) for c in run.counters.exclude(channel="search_index")}


def test_one_input_that_breaks_the_model_fails_alone_and_by_name(run: ReprocessRun, calls: list[int]) -> None:
    run_worker(run.pk)
    run.refresh_from_db()
    assert run.state == ReprocessRun.State.PARTIAL
    culprit = Scene.objects.get(transcript__contains=CULPRIT)
    failure = run.failures.get()
    assert (failure.step, failure.channel, failure.scene_id) == ("scene_text", "transcript", culprit.pk)
    assert "RuntimeError: no kernel image" in failure.error
    assert SECRET not in failure.error
    assert set(SceneEmbedding.objects.filter(state="failed").values_list("scene_id", "space__channel")) == {(culprit.pk, "transcript")}
    assert add_up(run) == dict.fromkeys(("transcript", "visual", "summary", "clip"), (6, 6))
    assert run.counters.get(channel="transcript").failed == 1
    assert run.items.get(video=culprit.video).attempts == 1
    owner, url = culprit.owner, f"/v1/videos/{culprit.video_id}/reprocess"
    api, browser = APIClient(), Client()
    api.force_authenticate(owner)
    browser.force_login(owner)
    for shown in (api.get(url).content.decode(), browser.get(f"/videos/{culprit.video_id}/search-data/").content.decode()):
        assert "This input could not be computed. Retry it; if it fails again, tell your administrator." in shown
        assert "RuntimeError" not in shown
    # Halving a batch of n inputs to find one takes about twice the logarithm of n calls.
    assert len(calls) < 12


def test_a_model_that_fails_on_everything_pauses_the_run_and_replaces_no_vector(run: ReprocessRun) -> None:
    run_worker(run.pk)
    before = set(SceneEmbedding.objects.values_list("pk", "state"))
    forced = start_run(Scope("all"), force=True, entry_point="command", requested_by=None)
    with mock.patch.object(get_text_embedder(), "embed_documents", side_effect=RuntimeError("device-side assert triggered")):
        run_worker(forced.pk)
    forced.refresh_from_db()
    assert forced.state == ReprocessRun.State.PAUSED
    assert "RuntimeError: device-side assert triggered" in forced.error
    assert not forced.failures.exists()
    # Empty inputs need no model.
    assert before - set(SceneEmbedding.objects.values_list("pk", "state")) <= {row for row in before if row[1] == "empty"}


def test_an_ingest_keeps_the_other_vectors(run: ReprocessRun, calls: list[int]) -> None:
    video = Scene.objects.get(transcript__contains=CULPRIT).video
    errors: list[str] = []
    lease = mock.Mock(transaction=transaction.atomic)
    embed_videos([video], get_effective_spec(), lease, lambda batch: errors.extend(o.error for o in batch.outcomes if o.error))
    assert len(errors) == 1
    assert SceneEmbedding.objects.filter(scene__video=video).exclude(state="failed").count() == 15


def test_an_input_that_breaks_its_preparation_fails_alone(run: ReprocessRun) -> None:
    # The other video has no scene with this keyframe.
    prepare, culprit = SceneClipStep.prepare, Scene.objects.get(transcript__contains="railway")

    def fail_for_culprit(step: SceneClipStep, task: EmbeddingTask, model: Any) -> Any:
        if task.target_id == culprit.pk:
            raise ValueError("a tile outside of the image")
        return prepare(step, task, model)

    with mock.patch.object(SceneClipStep, "prepare", fail_for_culprit):
        run_worker(run.pk)
    run.refresh_from_db()
    failure = run.failures.get()
    assert (failure.channel, failure.scene_id) == ("clip", culprit.pk)
    assert "ValueError: a tile outside of the image" in failure.error
    assert add_up(run)["clip"] == (6, 6)


def test_an_error_outside_of_the_model_is_named_and_what_was_done_is_counted(run: ReprocessRun) -> None:
    error = KeyError(f"bucket, password={SECRET}")
    with mock.patch.object(SceneClipStep, "upload_artifacts", side_effect=error):
        # The first attempt covers both videos; then each has its own.
        for _ in range(2 * settings.MAX_ATTEMPTS):
            with suppress(KeyError):
                run_worker(run.pk)
            ReprocessItem.objects.update(lease_expires_at=timezone.now())
    run.refresh_from_db()
    assert run.state == ReprocessRun.State.FAILED
    for failure in run.failures.all():
        assert "KeyError" in failure.error
        assert "memory" not in failure.error
        assert SECRET not in failure.error
    assert add_up(run) == dict.fromkeys(("transcript", "visual", "summary", "clip"), (6, 6))
    assert run.counters.get(channel="clip").failed == 6
    assert run.counters.get(channel="visual").done == 6
