"""The sandboxed process returns what it decodes, and every failure ends in a readable error."""

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from operator import attrgetter
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


def list_descendants() -> set[psutil.Process]:
    return set(psutil.Process().children(recursive=True))


def test_results_equal_those_without_a_sandbox() -> None:
    path = media.build_video((50, 90), audio="tone")
    info = call_sandboxed(probe, path, MediaLimits(), limits=ROOMY)
    assert info == probe(path)

    shares: list[float] = []
    scenes = list(iter_sandboxed(iter_scenes, path, info, limits=ROOMY, on_progress=shares.append))
    expected = list(iter_scenes(path, info))
    assert [scene.span for scene in scenes] == [scene.span for scene in expected]
    assert encode(scenes) == encode(expected)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0

    blocks = list(iter_sandboxed(iter_audio_blocks, path, info, limits=ROOMY))
    assert np.array_equal(np.concatenate(blocks), np.concatenate(list(iter_audio_blocks(path, info))))
    assert blocks[0].flags.writeable  # codespell:ignore writeable


@pytest.mark.parametrize(
    ("function", "limits", "code"),
    [
        (misbehaving.exhaust_memory, SandboxLimits(GIB, 60, 120, 60), "needs_too_much_memory"),
        (misbehaving.loop_forever, SandboxLimits(GIB, 1, 120, 60), "took_too_long"),
        (misbehaving.sleep_long, SandboxLimits(GIB, 60, 120, 3), "took_too_long"),
        (misbehaving.yield_slowly, SandboxLimits(GIB, 60, 3, 60), "took_too_long"),
        (misbehaving.crash_decoder, ROOMY, "decoder_crashed"),
        (misbehaving.exit_early, ROOMY, "decoder_crashed"),
        (misbehaving.raise_value_error, ROOMY, "decoder_crashed"),
        (misbehaving.yield_invalid_message, ROOMY, "decoder_crashed"),
        (misbehaving.raise_media_error, ROOMY, "damaged"),
    ],
)
@pytest.mark.usefixtures("with_and_without_bubblewrap")
def test_a_misbehaving_decoder_raises_a_readable_media_error(
    function: Callable[..., Iterator[Any]], limits: SandboxLimits, code: str
) -> None:
    others = set(psutil.Process().children())
    arrived: list[Any] = []
    with pytest.raises(MediaError) as caught:
        arrived.extend(iter_sandboxed(function, limits=limits))

    assert caught.value.code == code
    assert str(caught.value).endswith(".")
    assert arrived or function is misbehaving.yield_invalid_message
    assert set(psutil.Process().children()) == others


def test_a_missing_package_is_not_the_files_fault() -> None:
    with pytest.raises(DecodingInterrupted, match="Install the missing package"):
        list(iter_sandboxed(misbehaving.import_missing_package, limits=ROOMY))


@pytest.mark.usefixtures("with_and_without_bubblewrap")
def test_a_decoder_killed_from_outside_can_be_retried() -> None:
    others = list_descendants()
    items = iter_sandboxed(misbehaving.sleep_long, limits=ROOMY)
    next(items)
    max(list_descendants() - others, key=attrgetter("pid")).kill()
    with pytest.raises(DecodingInterrupted):
        next(items)


def test_the_sandbox_has_no_secrets_and_no_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEIMDEX_SECRET_KEY", "a secret")
    names, loaded, sockets, core = call_sandboxed(misbehaving.inspect_environment, limits=ROOMY)

    assert not [name for name in names if name.startswith(("HEIMDEX", "DJANGO", "PG", "AWS", "HOME"))]
    assert (loaded, sockets, core) == ((), 0, (0, 0))


def test_output_of_libraries_does_not_mix_with_messages() -> None:
    assert list(iter_sandboxed(misbehaving.print_and_yield, limits=ROOMY)) == [1]


def test_progress_reports_are_throttled_and_the_last_one_arrives() -> None:
    shares: list[float] = []
    assert list(iter_sandboxed(misbehaving.report_often, limits=ROOMY, on_progress=shares.append)) == [7]
    assert shares[-1] == 1.0
    assert len(shares) < 20


def test_a_finished_process_still_delivers_its_results() -> None:
    others = set(psutil.Process().children())
    items = iter_sandboxed(misbehaving.exit_early, limits=ROOMY)
    next(items)
    (child,) = set(psutil.Process().children()) - others
    while child.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    items.close()
    assert not psutil.pid_exists(child.pid)


@pytest.mark.usefixtures("with_and_without_bubblewrap")
def test_closing_the_iterator_or_an_error_in_check_ends_the_process() -> None:
    others = list_descendants()
    items = iter_sandboxed(misbehaving.sleep_long, limits=ROOMY)
    next(items)
    started = list_descendants() - others
    assert started
    items.close()
    psutil.wait_procs(started, timeout=10)
    assert list_descendants() == others

    class Unwanted(Exception):
        pass

    wanted = [True]

    def check() -> None:
        if not wanted:
            raise Unwanted

    items = iter_sandboxed(misbehaving.sleep_long, limits=ROOMY, check=check)
    next(items)
    wanted.clear()
    with pytest.raises(Unwanted):
        next(items)
    assert list_descendants() == others


def test_time_limits_count_only_while_the_caller_waits() -> None:
    items = iter_sandboxed(misbehaving.yield_slowly, limits=SandboxLimits(GIB, 60, 4, 60))
    next(items)
    time.sleep(4.2)
    assert next(items) == 1
    items.close()


@pytest.mark.usefixtures("with_and_without_bubblewrap")
def test_the_process_dies_with_its_worker() -> None:
    program = (
        "from heimdex.media.sandbox_protocol import SandboxLimits; from heimdex.media.sandbox import iter_sandboxed; import time\n"
        "from tests.heimdex.media import misbehaving\n"
        "items = iter_sandboxed(misbehaving.sleep_long, limits=SandboxLimits(2**30, 60, 120, 60))\n"
        "print(next(items), flush=True); time.sleep(600)"
    )
    worker = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    worker.stdout.readline()
    started = psutil.Process(worker.pid).children(recursive=True)
    assert started
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    worker.stdout.close()
    _, alive = psutil.wait_procs(started, timeout=10)
    assert alive == []


@pytest.mark.parametrize("message", [os.system, subprocess.Popen, MediaError, Path("/etc/passwd")])
def test_a_message_may_only_name_allowed_classes(message: object) -> None:
    with pytest.raises(InvalidMessage):
        decode(pickle.dumps(message))


def test_a_message_longer_than_the_limit_is_rejected() -> None:
    reader = MessageReader()
    reader.feed(b"\xff\xff\xff\xff")
    with pytest.raises(InvalidMessage):
        reader.read()


def test_limits_grow_with_duration_and_frame_rate() -> None:
    decoder_limits = DecoderLimits(memory_bytes=GIB, base_s=30, per_second=10)
    clip = MediaInfo("mp4", 2.0, 320, 240, 25.0, 0, "h264", None, 1, 0, 0.0)
    film = MediaInfo("mp4", 7200.0, 1920, 1080, 60.0, 0, "h264", None, 1, 0, 0.0)
    assert limit_decoding(decoder_limits, clip) == SandboxLimits(GIB, 50.0, 100.0, 60.0)
    assert limit_decoding(decoder_limits, film).cpu_s == 30 + 10 * 7200 * 2
    assert limit_probe(decoder_limits, 10**10).silent_s > 1000
