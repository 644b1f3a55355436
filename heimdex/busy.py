"""Which worker processes are at work, kept in memory that a cluster's processes share."""

import multiprocessing
import os

_MOST_WORKERS = 64


class BusyWorkers:
    """Process ids of workers at work; make it before the workers are forked."""

    def __init__(self) -> None:
        self._pids = multiprocessing.get_context("fork").Array("i", _MOST_WORKERS)

    def begin(self) -> None:
        """Say that this process has begun a task."""
        with self._pids.get_lock():
            self._pids[self._pids[:].index(0)] = os.getpid()

    def end(self) -> None:
        """Say that this process has ended its task."""
        with self._pids.get_lock():
            for place, pid in enumerate(self._pids[:]):
                if pid == os.getpid():
                    self._pids[place] = 0

    def count(self) -> int:
        """Return how many workers are at work; one that was killed at work is at work no more."""
        with self._pids.get_lock():
            for place, pid in enumerate(self._pids[:]):
                if pid and not _lives(pid):
                    self._pids[place] = 0
            return sum(1 for pid in self._pids[:] if pid)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
