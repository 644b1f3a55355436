"""A model server that answers 500 for one input: the input fails by name, and the run ends. A server that answers nothing is an outage."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from heimdex.openai.retry import RetryPolicy
from reprocess.models import ReprocessRun
from reprocess.planning.scope import Scope
from reprocess.reports.search_index import get_search_index_status
from reprocess.runs.requests import start_run
from reprocess.runs.worker import run_worker
from tests.acceptance.crashes.models import build_backends
from tests.heimdex.embedders.openai_server import EmbeddingServer, serve_embeddings
from tests.library import SAYINGS, make_user, make_video
from tests.openai_protocol import Answer
from videos.models import Scene, SceneEmbedding

pytestmark = pytest.mark.django_db(transaction=True)

CULPRIT = "tomatoes"
ATTEMPTS = 2


@pytest.fixture
def server(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddingServer]:
    """Serve the text model, with fewer attempts per call."""
    monkeypatch.setattr("heimdex.embedders.openai.DOCUMENT_RETRIES", RetryPolicy(attempts=ATTEMPTS, total_s=50.0, timeout_s=30.0))
    with serve_embeddings(EmbeddingServer(dimensions=8)) as served:
        settings.MODEL_BACKENDS = build_backends(served, "any")
        yield served


def work_on_run(*sayings: str) -> ReprocessRun:
    # Long enough to need no context of their neighbors, so that one scene has the culprit.
    make_video(make_user(), [saying * 4 for saying in sayings])
    run = start_run(Scope("all"), force=False, entry_point="command", requested_by=None)
    run_worker(run.pk)
    run.refresh_from_db()
    return run


def test_an_input_that_breaks_the_server_fails_alone_and_by_name(server: EmbeddingServer) -> None:
    server.breaking = CULPRIT
    make_video(make_user("another@example.org"), ["The sea is calm." * 4])

    run = work_on_run(*SAYINGS)

    culprit = Scene.objects.get(transcript__contains=CULPRIT)
    assert (run.state, run.waits_for) == ("partial", "")
    assert {failure.scene_id for failure in run.failures.all()} == {culprit.pk}
    assert "still answers with status 500" in run.failures.all()[0].error
    transcripts = SceneEmbedding.objects.filter(scene__video=culprit.video, space__channel="transcript")
    assert set(transcripts.filter(state="failed").values_list("scene_id", flat=True)) == {culprit.pk}
    assert transcripts.count() == len(SAYINGS)
    # The owner reads a sentence without the address.
    status = get_search_index_status(culprit.owner, culprit.video)
    assert "127.0.0.1" not in repr(status)


def test_the_only_input_of_a_run_is_tried_again_before_it_fails(server: EmbeddingServer) -> None:
    # An outage that is over when the server is asked whether it works.
    server.prepared = [Answer(503)] * ATTEMPTS

    run = work_on_run(SAYINGS[0])

    assert (run.state, run.failures.count()) == ("succeeded", 0)


@pytest.mark.parametrize("answer", [Answer(503), Answer(drop=True)])
def test_a_server_that_answers_no_query_either_is_away(server: EmbeddingServer, answer: Answer) -> None:
    server.prepared = [answer] * 100

    run = work_on_run(*SAYINGS)

    assert (run.state, run.waits_for, run.failures.count()) == ("paused", "model", 0)


def test_a_server_that_limits_the_rate_of_documents_blames_none_of_them(server: EmbeddingServer) -> None:
    # As many as the first call makes: a query fits the limit, and the documents do not.
    server.prepared = [Answer(429)] * ATTEMPTS

    run = work_on_run(*SAYINGS)

    assert (run.state, run.waits_for, run.failures.count()) == ("paused", "model", 0)


def test_a_server_that_breaks_on_every_document_pauses_the_run(server: EmbeddingServer, settings: Settings) -> None:
    settings.MODEL_BACKENDS["text"]["OPTIONS"]["batch_size"] = 8
    server.breaking = "e"

    run = work_on_run(*SAYINGS)

    assert (run.state, run.waits_for, run.failures.count()) == ("paused", "model", 0)
