"""What the workers of one cluster are at, kept in memory that its processes share."""

import multiprocessing
import os
from time import monotonic
from typing import Any

_MOST_WORKERS = 64


class BusyWorkers:
    """Process ids of workers at work, and how many tasks were taken for them and not begun; make it before the workers are forked."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("fork")
        self._pids = context.Array("i", _MOST_WORKERS)
        self._lying = context.Value("i", 0)
        self._changed_at = context.Value("d", monotonic())
        self._deaths = 0

    def took(self, tasks: int) -> None:
        """Say that tasks were taken from the queue for these workers."""
        with self._pids.get_lock():
            self._lying.value += tasks
            self._changed_at.value = monotonic()

    def begin(self) -> None:
        """Say that this process has begun a task."""
        with self._pids.get_lock():
            self._pids[self._pids[:].index(0)] = os.getpid()
            self._lying.value -= 1
            self._changed_at.value = monotonic()

    def end(self) -> None:
        """Say that this process has ended its task."""
        with self._pids.get_lock():
            for place, pid in enumerate(self._pids[:]):
                if pid == os.getpid():
                    self._pids[place] = 0
            self._changed_at.value = monotonic()

    def count(self) -> int:
        """Return how many workers are at work; one that was killed at work is at work no more."""
        with self._pids.get_lock():
            for place, pid in enumerate(self._pids[:]):
                if pid and not _lives(pid):
                    self._pids[place] = 0
                    self._deaths += 1
            return sum(1 for pid in self._pids[:] if pid)

    def deaths(self) -> int:
        """Return how many workers `count` has found dead at work since this was asked last."""
        deaths, self._deaths = self._deaths, 0
        return deaths

    def lying(self) -> int:
        """Return how many tasks were taken and not begun."""
        return int(self._lying.value)

    def quiet_s(self) -> float:
        """Return the seconds since a task was last taken, begun or ended."""
        return monotonic() - float(self._changed_at.value)


class NotingBroker:
    """A broker of django-q that tells BusyWorkers what it takes; in all else the broker itself."""

    def __init__(self, broker: Any, busy: BusyWorkers) -> None:
        self._broker = broker
        self._busy = busy

    def dequeue(self) -> Any:
        """Take tasks, and note how many."""
        tasks = self._broker.dequeue()
        if tasks:
            self._busy.took(len(tasks))
        return tasks

    def __getattr__(self, name: str) -> Any:
        return getattr(self._broker, name)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
