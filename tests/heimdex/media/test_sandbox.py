"""A decoder in a process of its own: what it finds arrives, and whatever it does instead ends in a sentence."""

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from heimdex.media.audio import iter_audio_blocks
from heimdex.media.errors import MediaError
from heimdex.media.info import MediaInfo, MediaLimits
from heimdex.media.probe import probe
from heimdex.media.sandbox import DecodingInterrupted, call_sandboxed, iter_sandboxed
from heimdex.media.sandbox_protocol import (
    DecoderLimits,
    InvalidMessage,
    MessageReader,
    SandboxLimits,
    decode,
    encode,
    limit_decoding,
    limit_probe,
)
from heimdex.media.scenes import iter_scenes
from tests import media
from tests.heimdex.media import misbehaving

ROOT = Path(__file__).resolve().parents[3]
GIB = 1024**3
ROOMY = SandboxLimits(memory_bytes=2 * GIB, cpu_s=60, wall_s=120, silent_s=60)


def test_what_is_found_is_the_same_as_without_it() -> None:
    path = media.build_video((50, 90), audio="tone")
    info = call_sandboxed(probe, path, MediaLimits(), limits=ROOMY)
    assert info == probe(path)

    shares: list[float] = []
    found = list(iter_sandboxed(iter_scenes, path, info, limits=ROOMY, on_progress=shares.append))
    expected = list(iter_scenes(path, info))
    assert [scene.span for scene in found] == [scene.span for scene in expected]
    assert encode(found) == encode(expected)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0

    blocks = list(iter_sandboxed(iter_audio_blocks, path, info, limits=ROOMY))
    assert np.array_equal(np.concatenate(blocks), np.concatenate(list(iter_audio_blocks(path, info))))
    assert blocks[0].flags.writeable  # codespell:ignore writeable


@pytest.mark.parametrize(
    ("function", "limits", "code"),
    [
        (misbehaving.takes_all_memory, SandboxLimits(GIB, 60, 120, 60), "needs_too_much_memory"),
        (misbehaving.never_ends, SandboxLimits(GIB, 1, 120, 60), "took_too_long"),
        (misbehaving.sleeps, SandboxLimits(GIB, 60, 120, 3), "took_too_long"),
        (misbehaving.drips, SandboxLimits(GIB, 60, 3, 60), "took_too_long"),
        (misbehaving.crashes, ROOMY, "decoder_crashed"),
        (misbehaving.leaves, ROOMY, "decoder_crashed"),
        (misbehaving.stumbles, ROOMY, "decoder_crashed"),
        (misbehaving.talks_nonsense, ROOMY, "decoder_crashed"),
        (misbehaving.refuses, ROOMY, "damaged"),
    ],
)
def test_a_decoder_that_goes_wrong_ends_in_a_sentence(function: Callable[..., Iterator[Any]], limits: SandboxLimits, code: str) -> None:
    others = set(psutil.Process().children())
    arrived: list[Any] = []
    with pytest.raises(MediaError) as caught:
        arrived.extend(iter_sandboxed(function, limits=limits))

    assert caught.value.code == code
    assert str(caught.value).endswith(".")
    assert arrived or function is misbehaving.talks_nonsense
    assert set(psutil.Process().children()) == others


@pytest.mark.parametrize("function", [misbehaving.is_killed, misbehaving.lacks_a_library])
def test_what_is_not_the_files_fault_is_worth_another_try(function: Callable[..., Iterator[Any]]) -> None:
    with pytest.raises(DecodingInterrupted):
        list(iter_sandboxed(function, limits=ROOMY))


def test_it_knows_no_secret_holds_no_connection_and_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEIMDEX_SECRET_KEY", "a secret")
    names, loaded, sockets, core = call_sandboxed(misbehaving.surroundings, limits=ROOMY)

    assert not [name for name in names if name.startswith(("HEIMDEX", "DJANGO", "PG", "AWS", "HOME"))]
    assert (loaded, sockets, core) == ((), 0, (0, 0))
    assert not call_sandboxed(misbehaving.writes, tmp_path / "trace", limits=ROOMY)
    assert not (tmp_path / "trace").read_text()


def test_what_a_library_prints_is_not_taken_for_a_message() -> None:
    assert list(iter_sandboxed(misbehaving.prints, limits=ROOMY)) == [1]


def test_reports_are_few_and_the_last_one_arrives() -> None:
    shares: list[float] = []
    assert list(iter_sandboxed(misbehaving.reports, limits=ROOMY, on_progress=shares.append)) == [7]
    assert shares[-1] == 1.0
    assert len(shares) < 20


def test_it_may_have_ended_long_before_anybody_asks_for_the_rest() -> None:
    others = set(psutil.Process().children())
    items = iter_sandboxed(misbehaving.leaves, limits=ROOMY)
    next(items)
    (child,) = set(psutil.Process().children()) - others
    while child.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    items.close()
    assert not psutil.pid_exists(child.pid)


def test_it_ends_with_the_iteration_or_when_it_is_no_longer_wanted() -> None:
    items = iter_sandboxed(misbehaving.sleeps, limits=ROOMY)
    pid = next(items)
    assert psutil.pid_exists(pid)
    items.close()
    assert not psutil.pid_exists(pid)

    class Unwanted(Exception):
        pass

    wanted = [True]

    def check() -> None:
        if not wanted:
            raise Unwanted

    items = iter_sandboxed(misbehaving.sleeps, limits=ROOMY, check=check)
    pid = next(items)
    wanted.clear()
    with pytest.raises(Unwanted):
        next(items)
    assert not psutil.pid_exists(pid)


def test_time_that_nobody_waits_for_does_not_count() -> None:
    items = iter_sandboxed(misbehaving.drips, limits=SandboxLimits(GIB, 60, 4, 60))
    next(items)
    time.sleep(4.2)
    assert next(items) == 1
    items.close()


def test_it_dies_with_its_worker() -> None:
    program = (
        "from heimdex.media.sandbox_protocol import SandboxLimits; from heimdex.media.sandbox import iter_sandboxed; import time\n"
        "from tests.heimdex.media import misbehaving\n"
        "items = iter_sandboxed(misbehaving.sleeps, limits=SandboxLimits(2**30, 60, 120, 60))\n"
        "print(next(items), flush=True); time.sleep(600)"
    )
    worker = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    child = psutil.Process(int(worker.stdout.readline()))
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    worker.stdout.close()
    child.wait(timeout=10)


@pytest.mark.parametrize("message", [os.system, subprocess.Popen, MediaError, Path("/etc/passwd")])
def test_a_message_cannot_name_what_it_likes(message: object) -> None:
    with pytest.raises(InvalidMessage):
        decode(pickle.dumps(message))


def test_an_announced_length_is_not_believed() -> None:
    reader = MessageReader()
    reader.feed(b"\xff\xff\xff\xff")
    with pytest.raises(InvalidMessage):
        reader.read()


def test_a_film_may_take_longer_than_a_clip() -> None:
    decoder_limits = DecoderLimits(memory_bytes=GIB, base_s=30, per_second=10)
    clip = MediaInfo("mp4", 2.0, 320, 240, 25.0, 0, "h264", None, 1, 0, 0.0)
    film = MediaInfo("mp4", 7200.0, 1920, 1080, 60.0, 0, "h264", None, 1, 0, 0.0)
    assert limit_decoding(decoder_limits, clip) == SandboxLimits(GIB, 50.0, 100.0, 60.0)
    assert limit_decoding(decoder_limits, film).cpu_s == 30 + 10 * 7200 * 2
    assert limit_probe(decoder_limits, 10**10).silent_s > 1000
