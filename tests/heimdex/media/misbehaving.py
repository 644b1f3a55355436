"""What a decoder does that a file has broken or taken over; run in a process of its own only."""

import ctypes
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from heimdex.media.errors import MediaError, MediaErrorCode


def takes_all_memory() -> Iterator[int]:
    yield 1
    held = []
    while True:
        held.append(bytearray(64 * 1024 * 1024))


def never_ends() -> Iterator[int]:
    yield 1
    while True:
        pass


def sleeps() -> Iterator[int]:
    yield os.getpid()
    time.sleep(600)


def drips() -> Iterator[int]:
    while True:
        time.sleep(0.05)
        yield 1


def crashes() -> Iterator[int]:
    yield 1
    ctypes.string_at(0)


def leaves() -> Iterator[int]:
    yield 1
    os._exit(0)


def is_killed() -> Iterator[int]:
    yield 1
    os.kill(os.getpid(), 9)


def refuses() -> Iterator[int]:
    yield 1
    raise MediaError(MediaErrorCode.DAMAGED, "It is damaged.")


def stumbles() -> Iterator[int]:
    yield 1
    raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")


def lacks_a_library() -> Iterator[int]:
    yield 1
    raise ImportError("No module named 'av'")


def talks_nonsense() -> Iterator[object]:
    yield os.system


def prints() -> Iterator[int]:
    os.write(1, b"an unwanted line\n")
    os.write(2, b"another\n")
    yield 1


def writes(path: Path) -> bool:
    try:
        path.write_text("a trace")
    except OSError:
        return False
    return True


def surroundings() -> tuple[tuple[str, ...], tuple[str, ...], int, tuple[int, int]]:
    loaded = tuple(name for name in sys.modules if name.split(".")[0] in ("django", "psycopg", "torch", "videos"))
    files = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}")]
    sockets = sum("socket:" in file for file in files)
    return tuple(sorted(os.environ)), loaded, sockets, resource.getrlimit(resource.RLIMIT_CORE)


def reports(on_progress: Callable[[float], None]) -> Iterator[int]:
    for number in range(1001):
        on_progress(number / 1000)
    yield 7
