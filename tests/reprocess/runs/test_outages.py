"""A run during outages: it pauses with the reason, fails nothing, and continues by itself."""

from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import pytest
from pytest_django import Settings

from heimdex.errors import ModelAway, ModelUnavailable, WrongState
from heimdex.openai.retry import RetryPolicy
from heimdex.outages.delays import MAX_WAITS
from heimdex.outages.models import Outage
from reprocess.actions.runs import cancel_run, pause_run, resume_run
from reprocess.models import ReprocessItem, ReprocessRun
from reprocess.planning.scope import Scope
from reprocess.reports.runs import RunSerializer
from reprocess.reports.search_index import get_search_index_status
from reprocess.runs.ingest_stage import embed_into_active
from reprocess.runs.outages import pause_for_outage
from reprocess.runs.requests import start_run
from reprocess.runs.rescue import rescue_runs
from reprocess.runs.worker import run_worker
from tests.acceptance.crashes.library import NullLease
from tests.acceptance.crashes.models import build_backends
from tests.heimdex.embedders.openai_server import EmbeddingServer, serve_embeddings
from tests.library import make_user, make_video
from tests.outages import probe_now, storage_away
from videos.models import Video

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def film() -> Video:
    return make_video(make_user())


def start(film: Video) -> ReprocessRun:
    return start_run(Scope("all"), force=False, entry_point=ReprocessRun.EntryPoint.COMMAND, requested_by=film.owner)


def work(run: ReprocessRun) -> None:
    run_worker(run.pk)
    run.refresh_from_db()


def assert_waits(run: ReprocessRun, kind: str) -> None:
    assert (run.state, run.waits_for) == ("paused", kind)
    assert set(run.items.values_list("state", "attempts", "lease_token")) == {("queued", 0, None)}
    assert not run.failures.exists()
    assert rescue_runs() == 0
    # The task of a paused run does nothing.
    work(run)
    assert run.state == "paused"


def assert_continues(run: ReprocessRun) -> None:
    assert probe_now()
    assert (rescue_runs(), rescue_runs()) == (1, 0)
    work(run)
    assert (run.state, run.error, run.waits_for, run.waits) == ("succeeded", "", "", 0)
    assert set(run.items.values_list("state", "attempts")) == {("done", 1)}
    assert not run.failures.exists()


def test_a_run_waits_for_the_storage(film: Video, tmp_path: Path) -> None:
    run = start(film)
    with storage_away(tmp_path):
        work(run)
        assert_waits(run, "storage")
        assert not probe_now()
        assert_waits(run, "storage")
        assert run.error.startswith("Waiting for the storage, and continues by itself. S3 at http://127.0.0.1:")
        # The owner reads a sentence without the address.
        message = get_search_index_status(film.owner, film).message
        assert message.startswith("Waiting for the storage. Heimdex tries again at ")
    shown = RunSerializer(ReprocessRun.objects.prefetch_details().get(pk=run.pk)).data
    assert (shown["waits_for"], shown["actions"]) == ("storage", ["pause", "resume", "cancel"])

    assert_continues(run)


def test_a_run_waits_for_a_model_server(film: Video, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("heimdex.embedders.openai.DOCUMENT_RETRIES", RetryPolicy(attempts=2, total_s=5.0, timeout_s=0.3))
    settings.MODEL_BACKENDS = build_backends(EmbeddingServer(url="http://127.0.0.1:1/v1"), "any")
    run = start(film)
    work(run)
    assert_waits(run, "model")
    assert not probe_now()

    with serve_embeddings(EmbeddingServer(dimensions=8)) as server:
        # The model keeps its name, so that the run's spec stays the same.
        settings.MODEL_BACKENDS = build_backends(server, "any")
        assert_continues(run)


def test_a_run_that_a_person_pauses_or_cancels_during_an_outage_stays_so(film: Video) -> None:
    run = start(film)
    assert pause_for_outage(run.pk, ModelUnavailable("away"))
    pause_run(run.pk)
    assert probe_now()
    assert rescue_runs() == 0
    run.refresh_from_db()
    assert (run.state, run.error, run.waits_for) == ("paused", "Paused by an operator.", "")
    with pytest.raises(WrongState):
        pause_run(run.pk)

    resume_run(run.pk)
    assert pause_for_outage(run.pk, ModelUnavailable("away"))
    cancel_run(run.pk)
    assert pause_for_outage(run.pk, ModelUnavailable("away")), "a worker that notices it later"
    assert probe_now()
    assert rescue_runs() == 0
    run.refresh_from_db()
    assert (run.state, run.waits_for) == ("cancelled", "")
    assert set(run.items.values_list("state", flat=True)) == {ReprocessItem.State.CANCELLED}


def test_a_run_can_be_resumed_by_hand_before_the_probe(film: Video) -> None:
    run = start(film)
    pause_for_outage(run.pk, ModelUnavailable("away"))
    resume_run(run.pk)
    work(run)

    assert (run.state, run.waits_for) == ("succeeded", "")


def test_a_run_whose_error_no_probe_sees_waits_for_a_person_in_the_end(film: Video) -> None:
    run = start(film)
    ReprocessRun.objects.filter(pk=run.pk).update(waits=MAX_WAITS)

    assert pause_for_outage(run.pk, ModelUnavailable("It answers 500."))

    run.refresh_from_db()
    assert (run.state, run.waits_for) == ("paused", "")
    assert run.error.startswith("It answers 500. This happens again and again")
    assert not Outage.objects.exists()


def test_an_upload_waits_for_the_server_of_an_older_model(film: Video) -> None:
    older = SimpleNamespace(spec=object(), unavailable=())
    with (
        mock.patch("reprocess.runs.ingest_stage.build_historical_spec", return_value=older),
        mock.patch("reprocess.runs.ingest_stage.embed_videos", side_effect=[ModelAway("It does not answer."), ModelUnavailable("Gone.")]),
    ):
        with pytest.raises(ModelAway):
            embed_into_active(film, NullLease())
        # A model that is gone for good must not stop the upload.
        embed_into_active(film, NullLease())
