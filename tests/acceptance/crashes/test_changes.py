"""Runs over the same videos at once, and libraries and specs that change during a run."""

import threading
from collections.abc import Callable
from uuid import UUID

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from heimdex.accounts.models import User
from reprocess.models import ReprocessItem, ReprocessRun
from reprocess.planning.scope import Scope
from reprocess.runs.ingest_stage import embed_into_active
from reprocess.runs.requests import plan_run, start_run
from tests.acceptance.conftest import Workers
from tests.acceptance.crashes.library import INPUTS, SECOND, THIRD, Alone, embed_now, make_film, make_library, with_models
from tests.acceptance.crashes.models import CountingServer
from tests.acceptance.crashes.outcome import all_ended, assert_complete, assert_one_row_each, counters, models_of, searching
from tests.library import stored_hash
from videos.actions.transcripts import edit_transcript
from videos.actions.videos import delete_video
from videos.models import SceneEmbedding, Video

Until = Callable[[Callable[[], bool], str], None]

pytestmark = pytest.mark.django_db(transaction=True)


def start(scope: Scope) -> ReprocessRun:
    return start_run(scope, force=False, entrance="command", requested_by=None)


def test_concurrent_identical_requests_create_one_run(embeddings: CountingServer, settings: Settings) -> None:
    make_library(settings, embeddings, "joined")
    together = threading.Barrier(6)
    runs: list[UUID] = []

    def request() -> None:
        together.wait()
        runs.append(start(Scope("all")).pk)
        connection.close()

    threads = [threading.Thread(target=request) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(runs) == 6
    assert len(set(runs)) == ReprocessRun.objects.count() == 1


def test_overlapping_runs_do_no_work_twice(
    second_model_workers: Workers, embeddings: CountingServer, settings: Settings, until: Until
) -> None:
    many, other = make_library(settings, embeddings, "many"), make_library(settings, embeddings, "other")
    film = Video.objects.filter(owner=many).earliest("created_at")
    embeddings.hold("many")
    with transaction.atomic():
        runs = [start(Scope("owner", owner_id=many.pk)), start(Scope("video", video_id=film.pk)), start(Scope("all"))]
        # Films that were begun before are taken one by one, so that each run finds some.
        ReprocessItem.objects.update(attempts=1)
    # All of them are at it while the first owner's texts are being computed.
    until(embeddings.held.is_set, "the second call about the first owner")
    until(lambda: not ReprocessRun.objects.filter(started_at=None).exists(), "the start of every run")
    embeddings.release()
    until(lambda: all_ended(second_model_workers), "the end of all runs")

    by_channel: dict[str, int] = {}
    for run in runs:
        run.refresh_from_db()
        assert (run.state, run.error) == (ReprocessRun.State.SUCCEEDED, "")
        for channel, (planned, done, skipped, empty, failed) in counters(run).items():
            assert (planned, failed) == (done + skipped + empty, 0)
            by_channel[channel] = by_channel.get(channel, 0) + done + empty
    # Two owners of four scenes each, whoever did them.
    assert by_channel == {"transcript": 8, "visual": 8, "summary": 8, "clip": 0}
    for owner, word in ((many, "many"), (other, "other")):
        sent = embeddings.documents(SECOND, word)
        assert (len(sent), sum(sent.values())) == (INPUTS, INPUTS)
        assert models_of(owner) == {SECOND}
        assert_one_row_each(owner)


def test_an_upload_a_deletion_and_an_edit_during_a_run(
    second_model_workers: Workers, embeddings: CountingServer, settings: Settings, until: Until
) -> None:
    owner = make_library(settings, embeddings, "changing")
    kept, doomed = Video.objects.filter(owner=owner).order_by("created_at")
    old_spaces = set(SceneEmbedding.objects.filter(owner=owner).exclude(space__channel="clip").values_list("space_id", flat=True))
    embeddings.hold("changing")
    run = start(Scope("owner", owner_id=owner.pk))
    # The running worker has read the texts as they were.
    until(embeddings.held.is_set, "the second call of the run")
    arrived = make_film(owner, "arrived")
    embed_now([arrived])
    embed_into_active(arrived, Alone())
    delete_video(doomed)
    scene = kept.scenes.get(index=0)
    edit_transcript(owner, kept.pk, scene.pk, "Something else is said here, changed by hand. " * 8)
    held_by_old = SceneEmbedding.objects.filter(scene__video=arrived, space_id__in=old_spaces).count()
    embeddings.release()
    until(lambda: all_ended(second_model_workers), "the end of all runs")

    run.refresh_from_db()
    assert (run.state, run.error) == (ReprocessRun.State.SUCCEEDED, "")
    assert all(planned == done + skipped + empty + failed for planned, done, skipped, empty, failed in counters(run).values())
    # The film that arrived was found by the old vectors until the switch, and is by the new ones after it.
    assert held_by_old == 6
    assert models_of(owner) == {SECOND}
    assert_one_row_each(owner)
    assert not SceneEmbedding.objects.exclude(scene__video__in=[kept, arrived]).exists()
    scene.refresh_from_db()
    now = SceneEmbedding.objects.get(scene=scene, space__channel="transcript", space__active_for__owner=owner)
    assert (now.state, now.input_hash) == (SceneEmbedding.State.EMBEDDED, stored_hash(scene, "transcript"))
    assert embeddings.documents(SECOND, "changed by hand")
    plan = plan_run(Scope("all"), force=False)
    assert (plan.stale, plan.model_calls) == (0, 0)


def test_a_run_of_an_unconfigured_spec_fails_with_a_reason_and_never_mixes_spaces(
    second_model_workers: Workers,
    serve: Callable[[str], Workers],
    embeddings: CountingServer,
    settings: Settings,
    until: Until,
) -> None:
    owner = make_library(settings, embeddings, "overtaken")
    with searching([owner]) as found:
        embeddings.hold("overtaken")
        overtaken = start(Scope("owner", owner_id=owner.pk))
        until(embeddings.held.is_set, "the second call of the run")
        # The operator configures another model and restarts the workers.
        with_models(settings, embeddings, THIRD)
        workers = serve(THIRD)
        embeddings.release()
        until(lambda: all_ended(workers), "the end of the overtaken run")
        overtaken.refresh_from_db()
        assert overtaken.state == ReprocessRun.State.FAILED
        assert "Start a new run" in overtaken.error
        assert set(overtaken.items.values_list("state", "lease_token")) == {(ReprocessItem.State.FAILED, None)}
        assert len(found[owner].different()) == 1
        begun = _rows_of(owner, SECOND)
        assert 0 < begun < 12

        latest = start(Scope("owner", owner_id=owner.pk))
        until(lambda: all_ended(workers), "the end of the run of the latest spec")
    assert_complete(latest, owner, "overtaken", model=THIRD)
    assert len(found[owner].different()) == 2
    assert _rows_of(owner, SECOND) == begun
    assert _rows_of(owner, THIRD) == 12


def _rows_of(owner: User, model: str) -> int:
    return SceneEmbedding.objects.filter(owner=owner, space__embedder__model=model).count()
