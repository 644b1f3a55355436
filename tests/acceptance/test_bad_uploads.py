"""Broken, huge and unusual files, uploaded to real workers over HTTP: each gets its expected answer, and the next good file is indexed."""

import ctypes
import os
import re
import socket
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urljoin

import psutil
import pytest
from django.db.models import F
from django.test import Client as Browser
from django_q.models import Failure

from demo.client import ApiError, Client
from tests import media
from tests.acceptance.conftest import Workers
from tests.bad_inputs import BadInput, build
from videos.models import Job, Video

Settled = Callable[[str], Video]
pytestmark = pytest.mark.integration

WORDS_OF_PROGRAMMERS = ("Error", "Exception", "Traceback", "errno", "Invalid data", "None", "/", "{", "<")
MAX_STAGE_TIME = timedelta(seconds=60)
MAX_PEAK_MIB = 1024
_IN_ACCESS_OR_OPEN = 0x21


def upload(client: Client, path: Path, name: str) -> str:
    """Upload a file under a name that no file system accepts."""
    content = path.read_bytes()
    announced = client.post("/v1/videos/upload/init", {"filename": name, "mime_type": "video/mp4", "size_bytes": len(content)})
    target = announced["upload"]
    request = urllib.request.Request(target["url"], data=content, headers=target["headers"], method=target["method"])
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 200
    client.post("/v1/videos/upload/complete", {"video_id": announced["video_id"]})
    return str(announced["video_id"])


@contextmanager
def assert_untouched(path: Path) -> Iterator[None]:
    """Fail when a file is opened or read during the block."""
    libc = ctypes.CDLL(None)
    watch = libc.inotify_init1(os.O_NONBLOCK)
    try:
        assert libc.inotify_add_watch(watch, str(path).encode(), _IN_ACCESS_OR_OPEN) > 0
        yield
        with pytest.raises(BlockingIOError):
            os.read(watch, 4096)
    finally:
        os.close(watch)


@contextmanager
def assert_unvisited() -> Iterator[int]:
    """Yield a port of this machine; fail when a connection arrives during the block."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]
        listening.setblocking(False)
        with pytest.raises(BlockingIOError):
            listening.accept()


def measure_memory(workers: Workers) -> int:
    """Return the resident bytes of the largest upload worker."""
    return max(child.memory_info().rss for child in psutil.Process(workers.get_pid("uploads")).children(recursive=True))


def test_every_bad_input_gets_its_expected_answer_and_good_ones_are_indexed_between_them(
    workers: Workers, live_server: pytest.FixtureRequest, owner_client: Client, wait_for_ingest: Settled, tmp_path: Path
) -> None:
    assert wait_for_ingest(upload(owner_client, media.build_video((50,), audio="tone"), "first.mp4")).state == "indexed"
    log_length, memory = len(workers.log("uploads")), measure_memory(workers)
    neighbor = tmp_path / "neighbor.mp4"
    neighbor.write_bytes(media.build_video((50,)).read_bytes())
    sent: dict[str, BadInput] = {}
    with assert_unvisited() as port:
        inputs = build(port, neighbor)
        with assert_untouched(neighbor):
            for bad in inputs:
                if bad.answer == "refused":
                    with pytest.raises(ApiError, match=rf"400: .*{bad.code}"):
                        upload(owner_client, bad.path, bad.name)
                else:
                    sent[upload(owner_client, bad.path, bad.name)] = bad
            last = upload(owner_client, media.build_video((50, 90)), "last.mp4")
            ended = {video_id: wait_for_ingest(video_id) for video_id in sent}
            good = wait_for_ingest(last)

    assert (good.state, good.error_text, good.scenes.count()) == ("indexed", "", 2)
    assert {sent[video_id].file: (video.state, video.error_code) for video_id, video in ended.items()} == {
        bad.file: (bad.answer, bad.code) for bad in sent.values()
    }
    browser = Browser()
    browser.force_login(good.owner)
    for video_id, video in ended.items():
        assert video.filename == sent[video_id].name.replace("\0", "\ufffd"), "NUL cannot be stored"
        page = browser.get(f"/videos/{video_id}/").content.decode()
        assert not [markup for markup in ("<script>alert", "<img src=x") if markup in page], sent[video_id].file
        status = owner_client.get(f"/v1/videos/{video_id}/status")
        if video.state == "indexed":
            assert video.scenes.exists()
            assert bool(status["notices"]) is sent[video_id].partial, (sent[video_id].file, status["notices"])
            url = urljoin(live_server.url, owner_client.get(f"/v1/videos/{video_id}")["preview_url"])  # type: ignore[attr-defined]
            with urllib.request.urlopen(url, timeout=60) as shown:
                assert (shown.headers["X-Content-Type-Options"], shown.headers.get_content_type()) == ("nosniff", "video/mp4")
        else:
            assert not video.scenes.exists()
            assert (status["state"], status["error"], status["error_code"]) == ("failed", video.error_text, video.error_code)
            assert {stage["state"] for stage in status["stages"]} == {"done", "failed", "skipped"}
            assert video.error_text[0].isupper()
            assert video.error_text.endswith(".")
            assert not [word for word in WORDS_OF_PROGRAMMERS if word in video.error_text], video.error_text
    # No video is still in progress, no task failed, and one worker processed all files.
    assert not Video.objects.filter(state__in=Video.PROCESSING_STATES).exists()
    assert not Job.objects.filter(state__in=(Job.State.QUEUED, Job.State.RUNNING)).exists()
    assert not Job.objects.filter(attempts__gt=1).exists()
    assert not Job.objects.filter(finished_at__gt=F("started_at") + MAX_STAGE_TIME).exists()
    assert not Failure.objects.exists()
    assert measure_memory(workers) < memory + 300 * 1024**2
    log = re.sub(r"\x1b\[\d*m", "", workers.log("uploads")[log_length:])
    assert "Traceback" not in log
    assert "reincarnated" not in log
    peaks_mib = [int(mib) for mib in re.findall(r"Decoded in a sandboxed process .*peak_mib=(\d+)", log)]
    assert len(peaks_mib) >= len(sent)
    assert max(peaks_mib) < MAX_PEAK_MIB
