"""The lock that lets one supervisor at a time work on a home: it is on the directory `run` itself, so no file of it stays."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from heimdex.services.errors import ServiceError

# `up` and `down` look whether the lock is free by taking it for microseconds. To wait longer than for those would be wrong: a supervisor
# that is one too many would take over when the first one is stopped.
LOCK_PATIENCE_S = 0.3


@contextmanager
def hold_lock(home: Path, patience_s: float) -> Iterator[bool]:
    """Hold the lock for the block; yield False when somebody else keeps it longer than `patience_s`."""
    path = home / "run"
    try:
        path.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise ServiceError(f"Cannot use {path} ({error.strerror}): set HEIMDEX_HOME to a directory of your own.") from error
    try:
        deadline = time.monotonic() + patience_s
        while not (held := _try(descriptor, fcntl.LOCK_EX)) and time.monotonic() < deadline:
            time.sleep(0.05)
        yield held
    finally:
        os.close(descriptor)


def is_locked(home: Path) -> bool:
    """Tell whether a supervisor (or a `down`) is at work."""
    try:
        descriptor = os.open(home / "run", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not _try(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _try(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
