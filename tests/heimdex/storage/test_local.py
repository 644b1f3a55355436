"""Behavior of the local storage and its URLs alone."""

import errno
import json
import os
import socket
import stat
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import psutil
import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from heimdex.storage.local import LocalMediaStorage
from heimdex.storage.received import RECEIVED, Received
from heimdex.storage.tokens import UploadGrant
from heimdex.storage.views import serve_media_file
from tests.heimdex.storage.web import WebServer, request

MIB = 1024 * 1024


def _connect(web: WebServer, head: str, body: bytes = b"") -> socket.socket:
    """Send raw bytes; return the open connection."""
    connection = socket.create_connection(("127.0.0.1", web.port), timeout=20)
    connection.sendall(f"{head}\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode() + body)
    return connection


def _send_raw(web: WebServer, head: str, body: bytes = b"") -> bytes:
    """Send raw bytes; return the whole response."""
    with _connect(web, head, body) as connection:
        return b"".join(iter(lambda: connection.recv(65536), b""))


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("headers", "body", "status", "reason"),
    [
        ("", b"", 411, "Content-Length"),
        ("\r\nTransfer-Encoding: chunked", b"5\r\nhello\r\n0\r\n\r\n", 411, "chunked"),
        ("\r\nContent-Length: 6", b"hello!", 413, "5 bytes were announced"),
        ("\r\nContent-Length: 4", b"hell", 400, "5 bytes were announced"),
    ],
)
def test_a_wrong_length_is_rejected_with_the_reason(
    local: LocalMediaStorage, web: WebServer, folder: str, headers: str, body: bytes, status: int, reason: str
) -> None:
    target = local.presign_upload(f"{folder}/upload", size=5, content_type="video/mp4", expires_in_s=60)
    path = target.url.removeprefix(web.url)

    answer = _send_raw(web, f"PUT {path} HTTP/1.1\r\nContent-Type: video/mp4{headers}", body)

    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert reason in json.loads(answer.partition(b"\r\n\r\n")[2])["detail"]
    assert local.size(f"{folder}/upload") is None


def test_a_broken_upload_leaves_nothing(local: LocalMediaStorage, web: WebServer, folder: str) -> None:
    target = local.presign_upload(f"{folder}/upload", size=8 * MIB, content_type="video/mp4", expires_in_s=60)
    head = f"PUT {target.url.removeprefix(web.url)} HTTP/1.1\r\nContent-Type: video/mp4\r\nContent-Length: {8 * MIB}"

    scratch = local.root / "scratch"
    with _connect(web, head, bytes(3 * MIB)):
        _wait_until(lambda: any(scratch.glob("*")))
    _wait_until(lambda: not any(scratch.glob("*")))

    assert local.size(f"{folder}/upload") is None


def test_a_full_disk_is_reported_with_the_fix(rf: RequestFactory, folder: str) -> None:
    grant = UploadGrant(f"{folder}/upload", 5, "video/mp4", int(time.time()) + 60)
    received = Received(BytesIO(), Path("scratch"), 3, OSError(errno.ENOSPC, "No space left on device"))
    upload = rf.put("/", b"hello", content_type="video/mp4", **{RECEIVED: received})

    answer = serve_media_file(upload, grant.sign())

    assert isinstance(answer, HttpResponse)
    assert answer.status_code == 507
    assert "Free some space" in json.loads(answer.content)["detail"]


def test_other_users_of_the_machine_cannot_enter_the_media_directory(tmp_path: Path) -> None:
    root = tmp_path / "media"
    root.mkdir(mode=0o755)
    LocalMediaStorage(root=root).save("owners/1/videos/2/original", b"content")
    assert stat.S_IMODE(root.stat().st_mode) == 0o700


def test_memory_does_not_grow_with_the_file(local: LocalMediaStorage, web: WebServer, folder: str, tmp_path: Path) -> None:
    key, size = f"{folder}/upload", 160 * MIB
    target = local.presign_upload(key, size=size, content_type="video/mp4", expires_in_s=60)
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(size)
    workers = psutil.Process(web.pid).children()

    before = sum(worker.memory_info().rss for worker in workers)
    with large.open("rb") as file:
        assert request("PUT", target.url, file, {**target.headers, "Content-Length": str(size)}).status == 200
    assert len(request("GET", local.presign_download(key, expires_in_s=60)).body) == size

    assert sum(worker.memory_info().rss for worker in workers) - before < 16 * MIB
    assert local.size(key) == size
    local.delete_prefix(folder)


def test_uploaded_pages_run_without_the_sites_origin(local: LocalMediaStorage, folder: str) -> None:
    local.save(f"{folder}/original", b"<script>alert(1)</script>", "text/html")

    answer = request("GET", local.presign_download(f"{folder}/original", expires_in_s=60))

    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_replaced_file_is_sent_whole_to_a_client_with_an_old_part(local: LocalMediaStorage, folder: str) -> None:
    key = f"{folder}/original"
    local.save(key, b"0123456789", "video/mp4")
    url = local.presign_download(key, expires_in_s=60)
    stamp = request("HEAD", url).headers["Last-Modified"]

    assert request("GET", url, headers={"Range": "bytes=2-3", "If-Range": stamp}).body == b"23"
    os.utime(local.root / "objects" / key, (1, 1))
    assert request("GET", url, headers={"Range": "bytes=2-3", "If-Range": stamp}).status == 200


def test_head_and_other_methods(local: LocalMediaStorage, folder: str) -> None:
    local.save(f"{folder}/original", b"0123456789", "video/mp4")
    url = local.presign_download(f"{folder}/original", expires_in_s=60)

    head = request("HEAD", url)
    assert (head.status, head.headers["Content-Length"], head.body) == (200, "10", b"")
    assert request("POST", url, b"x").status == 405


def test_urls_are_paths_of_this_host_without_a_public_url(tmp_path: Path) -> None:
    storage = LocalMediaStorage(root=tmp_path)

    assert storage.presign_download("a/b", expires_in_s=60).startswith("/v1/files/")


def test_leftovers_of_a_killed_upload_are_deleted_after_a_day(tmp_path: Path) -> None:
    storage = LocalMediaStorage(root=tmp_path)
    storage.save("a/b", b"x", "image/jpeg")
    old, new = tmp_path / "scratch" / "old", tmp_path / "scratch" / "new"
    for path in (old, new):
        path.write_bytes(b"half")
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(old, (two_days_ago, two_days_ago))

    storage.save("a/b", b"x", "image/jpeg")

    assert not old.exists()
    assert new.exists()


def test_an_unwritable_directory_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    problems = LocalMediaStorage(root=tmp_path / "file" / "media").check()

    assert len(problems) == 1
    assert "HEIMDEX_HOME" in problems[0]


def test_files_in_a_folder_are_listed_in_key_order_among_other_files(local: LocalMediaStorage, folder: str) -> None:
    names = ["a-b", "a.b", "a/1", "a/b/2", "a0"]
    for name in reversed(names):
        local.save(f"{folder}/{name}", b"x")
    assert list(local.list_keys(folder)) == [f"{folder}/{name}" for name in names]
