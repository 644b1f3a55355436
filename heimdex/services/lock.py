"""The lock that lets one supervisor run per home; it is on the directory `run` itself, so no lock file stays."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from heimdex.services import ServiceError

# `up` and `down` test the lock by taking it for microseconds. A longer wait would be wrong: a redundant supervisor would take over when
# the first one is stopped.
LOCK_TIMEOUT_S = 0.3


@contextmanager
def supervisor_lock(home: Path, timeout_s: float) -> Iterator[bool]:
    """Hold the lock during the block; yield False when another process holds it longer than `timeout_s`."""
    path = home / "run"
    try:
        path.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise ServiceError(f"Cannot use {path} ({error.strerror}). Set HEIMDEX_HOME to a directory that you can write to.") from error
    try:
        deadline = time.monotonic() + timeout_s
        while not (is_acquired := _try_lock(descriptor, fcntl.LOCK_EX)) and time.monotonic() < deadline:
            time.sleep(0.05)
        yield is_acquired
    finally:
        os.close(descriptor)


def is_locked(home: Path) -> bool:
    """Return whether a supervisor or a `down` is running."""
    try:
        descriptor = os.open(home / "run", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not _try_lock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int, operation: int) -> bool:
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
