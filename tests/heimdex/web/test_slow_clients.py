"""Two hundred clients that hardly send or read delay nobody, and are cut off."""

import resource
import signal
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from django.conf import settings
from rest_framework_simplejwt.tokens import RefreshToken

from heimdex.services.gunicorn_hooks import worker_connections
from heimdex.storage.local import LocalMediaStorage
from tests.heimdex.storage.web import request
from tests.heimdex.web.service import Web, run_web_service
from tests.heimdex.web.slow_clients import SlowClient, run_slow_clients, wait_until_cut_off
from tests.library import make_user, make_video

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.integration]

MIB = 1024 * 1024
PATIENCE_S = 5
# Ten times the goal.
DEADLINE_S = 10
LARGE = 300 * MIB


@dataclass(frozen=True)
class Site:
    """A running web service, its files, and a user's access token."""

    web: Web
    files: LocalMediaStorage
    token: str

    def search(self) -> bytes:
        return self.get("/v1/search?q=boat", {"Authorization": f"Bearer {self.token}"})

    def get(self, path: str, headers: dict[str, str] | None = None) -> bytes:
        """Return the body of an answer that arrives before the deadline."""
        started = time.monotonic()
        with urllib.request.urlopen(urllib.request.Request(self.web.url + path, headers=headers or {}), timeout=DEADLINE_S) as answer:
            body = answer.read()
        assert time.monotonic() - started < DEADLINE_S
        return body

    def measure_memory(self) -> int:
        """Return the resident memory of the server's worker."""
        return sum(worker.memory_info().rss for worker in psutil.Process(self.web.process.pid).children())

    def count_connections(self) -> int:
        """Return how many clients are connected."""
        workers = psutil.Process(self.web.process.pid).children()
        connections = [connection for worker in workers for connection in worker.net_connections("tcp")]
        return sum(connection.laddr.port == self.web.port and bool(connection.raddr) for connection in connections)

    def wait_until_connections_are_closed(self) -> None:
        """Wait until no client is connected. (The kernel still delivers to a slow reader what the server has given up.)"""
        deadline = time.monotonic() + 10 * PATIENCE_S
        while count := self.count_connections():
            assert time.monotonic() < deadline, f"{count} clients are still connected"
            time.sleep(0.2)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    user = make_user()
    make_video(user)
    variables = {"HEIMDEX_SECRET_KEY": settings.SECRET_KEY, "HEIMDEX_CLIENT_PATIENCE_S": str(PATIENCE_S), "HEIMDEX_WEB_THREADS": "8"}
    with run_web_service(tmp_path, **variables) as web:
        web.wait_until(web.is_healthy)
        token = RefreshToken.for_user(user).access_token
        yield Site(web, LocalMediaStorage(root=tmp_path / "media", public_url=web.url), str(token))


def build_head(line: str, *headers: str) -> bytes:
    return "\r\n".join([f"{line} HTTP/1.1", "Host: localhost", *headers, ""]).encode()


def build_slow_clients(site: Site, count: int) -> list[SlowClient]:
    """Return half-sent headers, slow small bodies, slow uploads and slow readers, `count` of each."""
    upload = site.files.presign_upload("slow/upload", size=LARGE, content_type="video/mp4", expires_in_s=600).url
    site.files.save("slow/film", bytes(20 * MIB), "video/mp4")
    film = site.files.presign_download("slow/film", expires_in_s=600)
    put = build_head(f"PUT {upload.removeprefix(site.web.url)}", "Content-Type: video/mp4", f"Content-Length: {LARGE}")
    return count * [
        SlowClient(build_head("GET /accounts/login/") + b"X-Slow: "),
        SlowClient(build_head("POST /v1/auth/token", "Content-Type: application/json", "Content-Length: 100000") + b'\r\n{"email": "'),
        SlowClient(put + b"\r\n" + bytes(1000)),
        SlowClient(build_head(f"GET {film.removeprefix(site.web.url)}") + b"\r\n", reads=True),
    ]


def test_slow_clients_delay_nobody_and_are_cut_off(site: Site) -> None:
    site.search()
    with run_slow_clients(site.web.port, build_slow_clients(site, 50)) as crowd:
        for _ in range(3):
            assert site.get("/health/live") == b'{"status": "ok"}'
            assert b"boat" in site.search()
        wait_until_cut_off(crowd, 150, 10 * PATIENCE_S)
        site.wait_until_connections_are_closed()
    assert site.web.log.count("Cut off a slow client") == 150
    assert "Traceback" not in site.web.log
    assert not list((site.files.root / "scratch").iterdir())


def test_more_silent_connections_than_the_server_takes_lock_nobody_out(site: Site) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8000), hard))
    try:
        with run_slow_clients(site.web.port, [SlowClient(b"GET / HTTP/1.1\r\n")] * (worker_connections + 100)):
            for _ in range(3):
                assert site.get("/health/live") == b'{"status": "ok"}'
                assert b"boat" in site.search()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_large_files_pass_slow_clients_with_flat_memory(site: Site, tmp_path: Path) -> None:
    target = site.files.presign_upload("large/film", size=LARGE, content_type="video/mp4", expires_in_s=600)
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(LARGE - 4)
        file.seek(0, 2)
        file.write(b"last")
    site.web.wait_until(lambda: site.web.log.count("Search model loaded") == 2)
    with run_slow_clients(site.web.port, build_slow_clients(site, 50)):
        before = site.measure_memory()
        with large.open("rb") as file:
            assert request("PUT", target.url, file, {**target.headers, "Content-Length": str(LARGE)}).status == 200
        url = site.files.presign_download("large/film", expires_in_s=600)
        part = request("GET", url, headers={"Range": "bytes=-4"})
        assert (part.status, part.body, part.headers["Content-Range"]) == (206, b"last", f"bytes {LARGE - 4}-{LARGE - 1}/{LARGE}")
        assert len(request("GET", url).body) == LARGE
        # 200 connections with at most a part of a file each, and this transfer.
        assert site.measure_memory() - before < 64 * MIB
    assert site.files.size("large/film") == LARGE


@pytest.mark.parametrize("kind", range(4))
def test_it_stops_in_time_with_slow_clients(site: Site, kind: int) -> None:
    with run_slow_clients(site.web.port, build_slow_clients(site, 3)[kind::4]):
        site.web.process.send_signal(signal.SIGTERM)
        assert site.web.process.wait(60) == 0
    assert "Traceback" not in site.web.log
