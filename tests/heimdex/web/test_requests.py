"""Requests and responses between a client and Django, over real HTTP. None of them needs the database."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from heimdex.storage.local import LocalMediaStorage
from tests.heimdex.storage.web import WebServer, request, run_web_server

PATIENCE_S = 2


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    with run_web_server(tmp_path_factory.mktemp("web"), HEIMDEX_CLIENT_PATIENCE_S=str(PATIENCE_S)) as server:
        yield server


def send(web: WebServer, data: bytes) -> bytes:
    """Send raw bytes; return all that comes back until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", web.port), timeout=10 * PATIENCE_S) as connection:
        connection.sendall(data)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def get(web: WebServer, target: bytes, *headers: bytes) -> bytes:
    """Return the raw response to a GET."""
    return send(web, b"\r\n".join([b"GET " + target + b" HTTP/1.1", b"Host: localhost", b"Connection: close", *headers, b"", b""]))


def test_the_process_is_alive_without_a_database(tmp_path: Path) -> None:
    with run_web_server(tmp_path, HEIMDEX_DATABASE_URL="postgres://nobody@127.0.0.1:9/none") as web:
        answer = request("GET", f"{web.url}/health/live")
        assert (answer.status, json.loads(answer.body)) == (200, {"status": "ok"})
        assert answer.headers["Cache-Control"] == "no-store"
        assert request("GET", f"{web.url}/healthz").status == 503


def test_a_database_that_accepts_connections_and_sends_nothing_is_given_up(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgres://nobody@127.0.0.1:{silent.getsockname()[1]}/none"
        with run_web_server(tmp_path, HEIMDEX_DATABASE_URL=url) as web:
            answer = request("GET", f"{web.url}/health/ready")
    assert (answer.status, json.loads(answer.body)["missing"]) == (503, ["The database cannot be reached."])


def test_answers_without_django_carry_hsts_where_https_is_on(tmp_path: Path) -> None:
    with run_web_server(tmp_path, HEIMDEX_HTTPS="true") as web:
        assert request("GET", f"{web.url}/health/live").headers["Strict-Transport-Security"] == "max-age=31536000"


def test_answers_without_https_carry_no_hsts(web: WebServer) -> None:
    assert "Strict-Transport-Security" not in request("GET", f"{web.url}/health/live").headers


def test_half_a_request_is_cut_off(web: WebServer) -> None:
    assert send(web, b"GET / HTTP/1.1\r\nHost: localhost\r\n") == b""


def test_half_of_a_second_request_is_cut_off(web: WebServer) -> None:
    assert send(web, b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HTTP/1.1\r\nHost: local").endswith(b'{"status": "ok"}')


def test_half_a_body_is_answered_with_the_reason(web: WebServer) -> None:
    head = b"POST /v1/auth/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
    answer = send(web, head + b"{")
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert "too slowly" in json.loads(answer.partition(b"\r\n\r\n")[2])["detail"]


def test_half_an_upload_is_answered_with_the_reason_and_leaves_nothing(web: WebServer) -> None:
    storage = LocalMediaStorage(root=web.home / "media")
    url = storage.presign_upload("a/b", size=100, content_type="video/mp4", expires_in_s=60).url
    answer = send(web, f"PUT {url} HTTP/1.1\r\nHost: localhost\r\nContent-Type: video/mp4\r\nContent-Length: 100\r\n\r\n".encode() + b"x")
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert not list((storage.root / "scratch").iterdir())


def test_a_client_that_waits_for_permission_to_send_gets_it_or_the_reason(web: WebServer) -> None:
    storage = LocalMediaStorage(root=web.home / "media")
    url = storage.presign_upload("a/b", size=5, content_type="video/mp4", expires_in_s=60).url
    rest = (
        b" HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Type: video/mp4\r\nContent-Length: 5\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", web.port), timeout=20) as connection:
        connection.sendall(f"PUT {url}".encode() + rest)
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"hello")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
    with socket.create_connection(("127.0.0.1", web.port), timeout=20) as connection:
        connection.sendall(b"PUT /v1/files/forged" + rest)
        assert connection.recv(65536).startswith(b"HTTP/1.1 403 ")


def test_a_body_that_is_too_large_is_refused_while_it_arrives(web: WebServer) -> None:
    answer = request("POST", f"{web.url}/v1/auth/token", bytes(5 * 1024**2), {"Content-Type": "application/json"})
    assert answer.status == 413
    assert json.loads(answer.body) == {"detail": "The body is too large. The limit is 2.5\u00a0MB."}


@pytest.mark.parametrize("value", [b"%ff", b"/k%C3%A4se", b"/a%00b"])
def test_queries_may_have_any_bytes(web: WebServer, value: bytes) -> None:
    assert get(web, b"/accounts/login/?next=" + value).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("target", [b"/no/%ff/page", b"/no/k%C3%A4se", b"/no/%2e%2e/page"])
def test_paths_may_have_any_bytes(web: WebServer, target: bytes) -> None:
    assert get(web, target).startswith(b"HTTP/1.1 404 ")


def test_cookies_are_received_and_set(web: WebServer) -> None:
    assert b"\r\nset-cookie: csrftoken=" in get(web, b"/accounts/login/", b"Cookie: a=1", b"Cookie: b=2").lower()


def test_a_head_request_gets_the_headers_of_the_page(web: WebServer) -> None:
    page, head = request("GET", f"{web.url}/accounts/login/"), request("HEAD", f"{web.url}/accounts/login/")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["X-Frame-Options"] == page.headers["X-Frame-Options"] == "DENY"


def test_a_static_file_is_served(web: WebServer) -> None:
    assert b"{" in request("GET", f"{web.url}/static/heimdex/heimdex.css").body


def test_a_websocket_is_refused(web: WebServer) -> None:
    upgrade = (
        b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
    )
    assert send(web, b"GET / HTTP/1.1\r\nHost: localhost\r\n" + upgrade).startswith(b"HTTP/1.1 403 ")


def test_a_connection_without_a_request_does_not_delay_the_stop(tmp_path: Path) -> None:
    with ExitStack() as stack:
        web = stack.enter_context(run_web_server(tmp_path, HEIMDEX_CLIENT_PATIENCE_S="60"))
        with socket.create_connection(("127.0.0.1", web.port)):
            assert request("GET", f"{web.url}/health/live").status == 200
            started = time.monotonic()
            stack.close()
            assert time.monotonic() - started < 20
