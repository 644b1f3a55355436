"""Concurrent runs over the same videos, and libraries and specs that change during a run."""

import threading
from collections.abc import Callable
from uuid import UUID

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from heimdex.accounts.models import User
from reprocess.actions.runs import cancel_run
from reprocess.models import ReprocessItem, ReprocessRun
from reprocess.planning.scope import Scope
from reprocess.runs.ingest_stage import embed_into_active
from reprocess.runs.requests import plan_run, start_run
from tests.acceptance.conftest import Workers
from tests.acceptance.crashes.library import INPUTS, SECOND, THIRD, NullLease, configure_models, embed_directly, make_film, make_library
from tests.acceptance.crashes.models import CountingServer
from tests.acceptance.crashes.outcome import (
    assert_complete,
    assert_one_row_each,
    expire_leases,
    have_all_ended,
    list_lease_tokens,
    list_models,
    read_counters,
    search_continuously,
)
from tests.library import get_stored_hash
from videos.actions.transcripts import edit_transcript
from videos.actions.videos import delete_video
from videos.models import SceneEmbedding, Video

Until = Callable[[Callable[[], bool], str], None]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.integration]


def start(scope: Scope) -> ReprocessRun:
    return start_run(scope, force=False, entry_point="command", requested_by=None)


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
    second_model_workers: Workers, embeddings: CountingServer, settings: Settings, wait_until: Until
) -> None:
    many, other = make_library(settings, embeddings, "many"), make_library(settings, embeddings, "other")
    film = Video.objects.filter(owner=many).earliest("created_at")
    embeddings.hold("many")
    with transaction.atomic():
        runs = [start(Scope("owner", owner_id=many.pk)), start(Scope("video", video_id=film.pk)), start(Scope("all"))]
        # Films with an earlier attempt are acquired one at a time, so every run finds some.
        ReprocessItem.objects.update(attempts=1)
    # All runs are active while the first owner's texts are being computed.
    wait_until(embeddings.held.is_set, "the second call about the first owner")
    wait_until(lambda: not ReprocessRun.objects.filter(started_at=None).exists(), "the start of every run")
    embeddings.release()
    wait_until(lambda: have_all_ended(second_model_workers), "the end of all runs")

    by_channel: dict[str, int] = {}
    for run in runs:
        run.refresh_from_db()
        assert (run.state, run.error) == (ReprocessRun.State.SUCCEEDED, "")
        for channel, (planned, done, skipped, empty, failed) in read_counters(run).items():
            assert (planned, failed) == (done + skipped + empty, 0)
            by_channel[channel] = by_channel.get(channel, 0) + done + empty
    # Two owners with four scenes each, whichever run embedded them.
    assert by_channel == {"transcript": 8, "visual": 8, "summary": 8, "clip": 0}
    for owner, word in ((many, "many"), (other, "other")):
        sent = embeddings.count_documents(SECOND, word)
        assert (len(sent), sum(sent.values())) == (INPUTS, INPUTS)
        assert list_models(owner) == {SECOND}
        assert_one_row_each(owner)


def test_an_upload_a_deletion_and_an_edit_during_a_run(
    second_model_workers: Workers, embeddings: CountingServer, settings: Settings, wait_until: Until
) -> None:
    owner = make_library(settings, embeddings, "changing")
    kept, doomed = Video.objects.filter(owner=owner).order_by("created_at")
    old_spaces = set(SceneEmbedding.objects.filter(owner=owner).exclude(space__channel="clip").values_list("space_id", flat=True))
    embeddings.hold("changing")
    run = start(Scope("owner", owner_id=owner.pk))
    # The running worker has read the unchanged texts.
    wait_until(embeddings.held.is_set, "the second call of the run")
    new_video = make_film(owner, "arrived")
    embed_directly([new_video])
    embed_into_active(new_video, NullLease())
    delete_video(doomed)
    scene = kept.scenes.get(index=0)
    edit_transcript(owner, kept.pk, scene.pk, "Something else is said here, changed by hand. " * 8)
    held_by_old = SceneEmbedding.objects.filter(scene__video=new_video, space_id__in=old_spaces).count()
    embeddings.release()
    wait_until(lambda: have_all_ended(second_model_workers), "the end of all runs")

    run.refresh_from_db()
    assert (run.state, run.error) == (ReprocessRun.State.SUCCEEDED, "")
    assert all(planned == done + skipped + empty + failed for planned, done, skipped, empty, failed in read_counters(run).values())
    # Search finds the new film by the old vectors until the cutover, and by the new ones afterwards.
    assert held_by_old == 6
    assert list_models(owner) == {SECOND}
    assert_one_row_each(owner)
    assert not SceneEmbedding.objects.exclude(scene__video__in=[kept, new_video]).exists()
    scene.refresh_from_db()
    embedding = SceneEmbedding.objects.get(scene=scene, space__channel="transcript", space__active_for__owner=owner)
    assert (embedding.state, embedding.input_hash) == (SceneEmbedding.State.EMBEDDED, get_stored_hash(scene, "transcript"))
    assert embeddings.count_documents(SECOND, "changed by hand")
    plan = plan_run(Scope("all"), force=False)
    assert (plan.stale, plan.model_calls) == (0, 0)


def test_a_run_of_an_unconfigured_spec_waits_with_a_reason_and_never_mixes_spaces(
    second_model_workers: Workers,
    serve: Callable[[str], Workers],
    embeddings: CountingServer,
    settings: Settings,
    wait_until: Until,
) -> None:
    owner = make_library(settings, embeddings, "overtaken")
    with search_continuously([owner]) as answers:
        embeddings.hold("overtaken")
        overtaken = start(Scope("owner", owner_id=owner.pk))
        wait_until(embeddings.held.is_set, "the second call of the run")
        # The operator configures another model and restarts the workers.
        configure_models(settings, embeddings, THIRD)
        workers = serve(THIRD)
        embeddings.release()
        expire_leases(list_lease_tokens())
        wait_until(lambda: bool(ReprocessRun.objects.get(pk=overtaken.pk).error), "the reason why the run waits")
        overtaken.refresh_from_db()
        assert overtaken.state == ReprocessRun.State.RUNNING
        assert overtaken.error.startswith("No worker has the spec of this run")
        cancel_run(overtaken.pk)
        assert len(answers[owner].deduplicate()) == 1
        rows_before = _count_rows(owner, SECOND)
        assert 0 < rows_before < 12

        latest = start(Scope("owner", owner_id=owner.pk))
        wait_until(lambda: have_all_ended(workers), "the end of the run of the latest spec")
    assert_complete(latest, owner, "overtaken", model=THIRD)
    assert len(answers[owner].deduplicate()) == 2
    assert _count_rows(owner, SECOND) == rows_before
    assert _count_rows(owner, THIRD) == 12


def _count_rows(owner: User, model: str) -> int:
    return SceneEmbedding.objects.filter(owner=owner, space__embedder__model=model).count()
