"""Decoders that a file has broken or taken over. Run them only in a sandboxed process."""

import ctypes
import os
import resource
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from heimdex.media.errors import MediaError, MediaErrorCode
from heimdex.media.info import MediaInfo, MediaLimits


def exhaust_memory() -> Iterator[int]:
    yield 1
    blocks = []
    while True:
        blocks.append(bytearray(64 * 1024 * 1024))


def loop_forever() -> Iterator[int]:
    yield 1
    while True:
        pass


def sleep_long() -> Iterator[int]:
    yield os.getpid()
    time.sleep(600)


def yield_slowly() -> Iterator[int]:
    while True:
        time.sleep(0.05)
        yield 1


def crash_decoder() -> Iterator[int]:
    yield 1
    ctypes.string_at(0)


def exit_early() -> Iterator[int]:
    yield 1
    os._exit(0)


def raise_media_error() -> Iterator[int]:
    yield 1
    raise MediaError(MediaErrorCode.DAMAGED, "It is damaged.")


def raise_value_error() -> Iterator[int]:
    yield 1
    raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")


def import_missing_package() -> Iterator[int]:
    yield 1
    raise ImportError("No module named 'av'")


def yield_invalid_message() -> Iterator[object]:
    yield os.system


def print_and_yield() -> Iterator[int]:
    os.write(1, b"an unwanted line\n")
    os.write(2, b"another\n")
    yield 1


def inspect_environment() -> tuple[tuple[str, ...], tuple[str, ...], int, tuple[int, int]]:
    loaded = tuple(name for name in sys.modules if name.split(".")[0] in ("django", "psycopg", "torch", "videos"))
    sockets = 0
    for descriptor in range(64):
        with suppress(OSError):
            sockets += stat.S_ISSOCK(os.fstat(descriptor).st_mode)
    return tuple(sorted(os.environ)), loaded, sockets, resource.getrlimit(resource.RLIMIT_CORE)


def report_often(on_progress: Callable[[float], None]) -> Iterator[int]:
    for number in range(1001):
        on_progress(number / 1000)
    yield 7


def claim_ten_years(path: Path, limits: MediaLimits) -> MediaInfo:
    return MediaInfo("mp4", 10 * 365 * 24 * 3600.0, 320, 240, 30.0, 0, "h264", None, 1, 0, 0.0)
