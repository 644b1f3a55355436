"""Files that are no videos, sent to real workers over HTTP: each is refused in words, and the next good one is indexed."""

import random
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from django_q.models import Failure

from demo.client import ApiError, Client
from tests import media
from tests.acceptance.conftest import Workers
from videos.models import Job, Video

Settled = Callable[[str], Video]
PLAYLIST = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{address}\n#EXT-X-ENDLIST\n"
SESSION = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} RTP/AVP 96\na=rtpmap:96 H264/90000\n"
WORDS_OF_PROGRAMMERS = ("Error", "Exception", "Traceback", "errno", "Invalid data", "None", "/", "{", "<")


def upload(client: Client, path: Path) -> str:
    return client.upload(path, "video/mp4", path.stem, lambda sent: None)


def bad_files(folder: Path, port: int) -> dict[Path, str]:
    """Return files that call themselves MP4, and the code that each must end with."""
    neighbour = media.video((50,))

    def named(name: str, content: bytes | str) -> Path:
        path = folder / f"{name}.mp4"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return {
        media.text_named_mp4(): "not_a_video",
        media.truncated(): "truncated",
        media.audio_only(): "no_video_stream",
        media.still_picture("png"): "still_picture",
        media.still_picture("jpg"): "still_picture",
        named("one-byte", b"\0"): "not_a_video",
        named("random", random.Random(7).randbytes(200_000)): "not_a_video",
        named("only-a-box", b"\0\0\0\x18ftypisom\0\0\2\0isomiso2"): "truncated",
        named("page", "<!doctype html><title>A film</title><video src='film.mp4'>"): "not_a_video",
        named("playlist-of-a-file", PLAYLIST.format(address=f"file://{neighbour}")): "not_a_video",
        named("playlist-of-an-address", PLAYLIST.format(address=f"http://127.0.0.1:{port}/film.ts")): "not_a_video",
        named("list-of-a-neighbour", f"ffconcat version 1.0\nfile '{neighbour}'\n"): "not_a_video",
        named("session", SESSION.format(port=port)): "not_a_video",
        named("manifest", f"<MPD><Period><BaseURL>http://127.0.0.1:{port}/</BaseURL></Period></MPD>"): "not_a_video",
        named("drawing", f'<svg xmlns="http://www.w3.org/2000/svg"><image href="http://127.0.0.1:{port}/a.png"/></svg>'): "not_a_video",
    }


def test_bad_files_fail_in_words_and_the_good_one_after_them_is_indexed(
    workers: Workers, owner_client: Client, settled: Settled, tmp_path: Path
) -> None:
    begun = len(workers.log("uploads"))
    with pytest.raises(ApiError, match=r"400: .*size_bytes.*The file is empty"):
        upload(owner_client, media.empty())
    with socket.create_server(("127.0.0.1", 0)) as listening:
        expected = {upload(owner_client, path): (path.name, code) for path, code in bad_files(tmp_path, listening.getsockname()[1]).items()}
        good = settled(upload(owner_client, media.video((50, 90))))
        bad = {video_id: settled(video_id) for video_id in expected}
        listening.setblocking(False)
        with pytest.raises(BlockingIOError):
            listening.accept()

    assert (good.state, good.error_text, good.scenes.count()) == ("indexed", "", 2)
    assert {video_id: (video.title + ".mp4", video.error_code) for video_id, video in bad.items()} == expected
    for video_id, video in bad.items():
        assert (video.state, video.scenes.count()) == ("failed", 0)
        status = owner_client.get(f"/v1/videos/{video_id}/status")
        assert (status["state"], status["error"], status["error_code"]) == ("failed", video.error_text, video.error_code)
        assert video.error_text[0].isupper()
        assert video.error_text.endswith(".")
        assert not [word for word in WORDS_OF_PROGRAMMERS if word in video.error_text], video.error_text
    # Nothing is left that moves, no task failed, and the worker that took the first file has taken the last.
    assert not Video.objects.filter(state__in=Video.MOVING).exists()
    assert not Job.objects.filter(state=Job.State.RUNNING).exists()
    assert not Job.objects.exclude(attempts__lte=1).exists()
    assert not Failure.objects.exists()
    log = workers.log("uploads")[begun:]
    assert "Traceback" not in log
    assert "reincarnated" not in log
