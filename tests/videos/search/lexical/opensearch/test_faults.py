"""While OpenSearch is away, the database answers and says so, nothing is lost, and everything arrives afterwards."""

import threading
import time

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from pytest_django import Settings
from rest_framework.test import APIClient
from structlog.testing import capture_logs

from heimdex.accounts.models import User
from tests.heimdex.storage.seaweed import find_free_ports
from tests.library import make_user, make_video
from tests.opensearch.backends import configure, create_index
from tests.opensearch.server import OpenSearchServer
from videos.actions.transcripts import edit_transcript
from videos.actions.videos import delete_video
from videos.models import SearchChange
from videos.search.lexical.base import LexicalQuery
from videos.search.lexical.handler import lexical_backends
from videos.search.lexical.opensearch import circuit
from videos.search.lexical.opensearch.backend import FALLBACK, OpenSearchLexical
from videos.search.lexical.opensearch.connection import SearchServerAway
from videos.search.lexical.search_index import send_in_background

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(db: None) -> User:
    return make_user()


@pytest.fixture
def backend(settings: Settings, server: OpenSearchServer) -> OpenSearchLexical:
    """Return the backend on a server that tests may stop. It tries again at once."""
    settings.LEXICAL_BACKENDS = configure(server.url)
    backend = lexical_backends["default"]
    assert isinstance(backend, OpenSearchLexical)
    create_index(backend)
    return backend


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the next search after a failure try again."""
    monkeypatch.setattr(circuit, "compute_probe_delay_s", lambda failures: 0.0)


def search(backend: OpenSearchLexical, owner: User, text: str) -> tuple[int, tuple[str, ...]]:
    """Return the number of scenes in speech, and the notices."""
    answer = backend.search(LexicalQuery(owner.pk, text, 100))
    return sum(match.is_match for match in answer.matches["lexical"]), answer.notices


def test_a_server_that_never_answered_keeps_nobody_from_searching(settings: Settings, owner: User) -> None:
    settings.LEXICAL_BACKENDS = configure(f"http://127.0.0.1:{find_free_ports(1)[0]}")
    backend = lexical_backends["default"]
    assert isinstance(backend, OpenSearchLexical)
    make_video(owner, ["A boat in the harbor."])
    assert run_checks(tags=["lexical"]) == []
    assert search(backend, owner, "boat") == (1, (FALLBACK,))
    assert "HEIMDEX_OPENSEARCH_URL" in backend.health()
    api = APIClient()
    api.force_authenticate(owner)
    answer = api.get("/v1/search", {"q": "harbor"}).json()
    assert len(answer["results"]) == 1
    assert FALLBACK in answer["notices"]
    # Owners read nothing about servers.
    assert "127.0.0.1" not in str(answer["notices"])
    call_command("search", "harbor", owner=owner.email)
    with pytest.raises(SearchServerAway, match="cannot be reached"):
        backend.drain.run()
    assert SearchChange.objects.get().attempts == 0


def test_a_server_that_hangs_delays_one_search_and_not_the_next(backend: OpenSearchLexical, server: OpenSearchServer, owner: User) -> None:
    make_video(owner, ["A boat."])
    with server.frozen():
        with capture_logs() as logs:
            began = time.monotonic()
            assert search(backend, owner, "boat") == (1, (FALLBACK,))
            first_s = time.monotonic() - began
            began = time.monotonic()
            for _ in range(5):
                assert search(backend, owner, "boat") == (1, (FALLBACK,))
            later_s = time.monotonic() - began
        with pytest.raises(SearchServerAway, match="does not answer in time"):
            backend.verifier.verify()
    assert 1.9 < first_s < 6
    assert later_s < 2
    assert len([entry for entry in logs if entry["log_level"] == "warning"]) == 1


def test_words_are_searched_in_opensearch_again_after_an_outage(
    backend: OpenSearchLexical, server: OpenSearchServer, owner: User, impatient: None
) -> None:
    """Nothing is lost, and nothing stale is left, of what was written during the outage."""
    videos = [make_video(owner, [f"A boat number {number}."]) for number in range(6)]
    backend.drain.run()
    with server.stopped():
        edit_transcript(owner, videos[0].pk, videos[0].scenes.get().pk, "A goat.")
        delete_video(videos[1])
        make_video(owner, ["Another boat."])
        assert search(backend, owner, "boat") == (5, (FALLBACK,))
        assert search(backend, owner, "goat") == (1, (FALLBACK,))
        for _ in range(2):
            with pytest.raises(SearchServerAway):
                backend.drain.run()
        assert list(SearchChange.objects.values_list("attempts", flat=True)) == [0] * 3
    assert search(backend, owner, "boat") == (5, ())
    backend.drain.run()
    result = backend.verifier.verify()
    assert (result.differences, result.rows, result.documents) == ([], 6, 6)
    assert (search(backend, owner, "boat"), search(backend, owner, "goat")) == ((5, ()), (1, ()))


def test_an_index_that_is_read_only_takes_changes_later(backend: OpenSearchLexical, owner: User, settings: Settings) -> None:
    settings.MAX_ATTEMPTS = 1
    video = make_video(owner, ["A boat."])
    backend.drain.run()
    block = {"index.blocks.read_only_allow_delete": True}
    backend.client.indices.put_settings(index=backend.names.alias, body=block)
    edit_transcript(owner, video.pk, video.scenes.get().pk, "A goat.")
    with pytest.raises(SearchServerAway, match="free some space"):
        backend.drain.run()
    change = SearchChange.objects.get()
    assert (change.attempts, change.is_dead) == (0, False)
    assert search(backend, owner, "goat") == (1, ())
    searched = backend.read_state().searched
    assert searched
    assert searched.is_read_only
    backend.client.indices.put_settings(index=backend.names.alias, body={"index.blocks.read_only_allow_delete": None})
    backend.drain.run()
    assert backend.verifier.verify().is_clean


@pytest.mark.django_db(transaction=True)
def test_the_workers_send_changes_in_the_background(backend: OpenSearchLexical) -> None:
    make_video(make_user(), ["A boat."])
    send_in_background()
    deadline = time.monotonic() + 30
    while SearchChange.objects.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not SearchChange.objects.exists()
    for thread in threading.enumerate():
        if thread.name == "search-index":
            thread.join(30)
