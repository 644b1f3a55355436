"""While OpenSearch is away, the database answers and says so, nothing is lost, and everything arrives afterwards."""

import http.server
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

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
from videos.search.lexical.opensearch import bulk, circuit, drain
from videos.search.lexical.opensearch.backend import FALLBACK, OpenSearchLexical
from videos.search.lexical.opensearch.connection import SearchServerAway
from videos.search.lexical.search_index import send_in_background

pytestmark = pytest.mark.django_db
SECRET = "c4n4ry-of-opensearch"


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


def build(settings: Settings, url: str, **options: str) -> OpenSearchLexical:
    settings.LEXICAL_BACKENDS = configure(url, **options)
    backend = lexical_backends["default"]
    assert isinstance(backend, OpenSearchLexical)
    return backend


def search(backend: OpenSearchLexical, owner: User, text: str) -> tuple[int, tuple[str, ...]]:
    """Return the number of scenes in speech, and the notices."""
    answer = backend.search(LexicalQuery(owner.pk, text, 100))
    return sum(match.is_match for match in answer.matches["lexical"]), answer.notices


def test_a_server_that_never_answered_keeps_nobody_from_searching(settings: Settings, owner: User) -> None:
    backend = build(settings, f"http://127.0.0.1:{find_free_ports(1)[0]}")
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


@pytest.mark.parametrize("after_bulk", [False, True], ids=["before the answer", "after the answer"])
def test_a_drain_that_is_killed_loses_nothing(
    backend: OpenSearchLexical, owner: User, monkeypatch: pytest.MonkeyPatch, after_bulk: bool
) -> None:
    make_video(owner, ["A boat."])

    def be_killed(*args: object, **options: object) -> object:
        if after_bulk:
            bulk.write_documents(*args, **options)
        raise KeyboardInterrupt

    with monkeypatch.context() as patches:
        patches.setattr(drain, "write_documents", be_killed)
        with pytest.raises(KeyboardInterrupt):
            backend.drain.run()
    assert SearchChange.objects.count() == 1
    backend.drain.run()
    assert not SearchChange.objects.exists()
    assert backend.verifier.verify().is_clean


class TlsServer:
    """A server over TLS that answers every request with a status. It remembers the headers."""

    def __init__(self, folder: Path, status: int) -> None:
        folder.mkdir()
        self.certificate = folder / "certificate.pem"
        key = folder / "key.pem"
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
        command += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(self.certificate)]
        subprocess.run(command, check=True, capture_output=True)
        self.headers: list[dict[str, str]] = []
        received = self.headers

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                received.append(dict(self.headers))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://localhost:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def refusing(tmp_path: Path) -> Iterator[TlsServer]:
    """Yield a server that refuses every login."""
    server = TlsServer(tmp_path / "tls", 401)
    yield server
    server.stop()


def test_a_certificate_that_is_not_trusted_is_reported_with_the_setting(
    settings: Settings, refusing: TlsServer, tmp_path: Path, owner: User
) -> None:
    other = TlsServer(tmp_path / "other", 200)
    other.stop()
    for ca in ("", str(other.certificate)):
        backend = build(settings, refusing.url, ca=ca, user="heimdex", password=SECRET)
        assert "HEIMDEX_OPENSEARCH_CA" in backend.health()
        assert search(backend, owner, "boat") == (0, (FALLBACK,))
    assert refusing.headers == []


def test_a_refused_login_is_reported_without_the_password(settings: Settings, refusing: TlsServer, owner: User) -> None:
    with capture_logs() as logs:
        backend = build(settings, refusing.url, ca=str(refusing.certificate), user="heimdex", password=SECRET)
        make_video(owner, ["A boat."])
        assert "HEIMDEX_OPENSEARCH_USER" in backend.health()
        assert search(backend, owner, "boat") == (1, (FALLBACK,))
        with pytest.raises(SearchServerAway):
            backend.drain.run()
    assert refusing.headers[0]["authorization"].startswith("Basic ")
    assert SECRET not in f"{logs}{backend.connection!r}{backend.health()}"


def test_requests_are_signed_for_amazon(settings: Settings, refusing: TlsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "access")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    backend = build(settings, refusing.url, ca=str(refusing.certificate), aws_region="eu-central-1")
    assert backend.check() == []
    assert "HEIMDEX_OPENSEARCH_AWS_REGION" in backend.health()
    authorization = next(value for name, value in refusing.headers[0].items() if name.lower() == "authorization")
    assert authorization.startswith("AWS4-HMAC-SHA256 Credential=access/")
    assert "/eu-central-1/es/" in authorization
    assert SECRET not in str(refusing.headers)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"ca": "/no/such/file.pem"}, "There is no file /no/such/file.pem"),
        ({"ca": __file__}, "HEIMDEX_OPENSEARCH_CA needs TLS"),
        ({"aws_region": "eu-central-1"}, "boto3 finds no credentials"),
    ],
)
def test_a_wrong_setting_is_reported_by_a_system_check(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, options: dict[str, str], problem: str
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    settings.LEXICAL_BACKENDS = configure("http://127.0.0.1:9", **options)
    assert any(problem in error.msg for error in run_checks(tags=["lexical"]))


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
