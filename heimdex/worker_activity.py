"""Track what the workers of one cluster do, in memory that its processes share."""

import multiprocessing
import os
from time import monotonic
from typing import Any

_MAX_WORKERS = 64


class WorkerActivity:
    """Process ids of busy workers, and the number of prefetched tasks; create it before the workers are forked.

    A task is prefetched while it has left the queue and no worker has begun it.
    """

    def __init__(self) -> None:
        context = multiprocessing.get_context("fork")
        self._pids = context.Array("i", _MAX_WORKERS)
        self._prefetched = context.Value("i", 0)
        self._changed_at = context.Value("d", monotonic())
        self._deaths = 0

    def add_prefetched(self, tasks: int) -> None:
        """Record that `tasks` tasks left the queue for these workers."""
        with self._pids.get_lock():
            self._prefetched.value += tasks
            self._changed_at.value = monotonic()

    def begin_task(self) -> None:
        """Record that this process has begun a prefetched task."""
        with self._pids.get_lock():
            self._pids[self._pids[:].index(0)] = os.getpid()
            self._prefetched.value -= 1
            self._changed_at.value = monotonic()

    def end_task(self) -> None:
        """Record that this process has ended its task."""
        with self._pids.get_lock():
            for slot, pid in enumerate(self._pids[:]):
                if pid == os.getpid():
                    self._pids[slot] = 0
            self._changed_at.value = monotonic()

    def count_busy(self) -> int:
        """Count the living workers that run a task, and note those that were killed during one."""
        with self._pids.get_lock():
            for slot, pid in enumerate(self._pids[:]):
                if pid and not _is_alive(pid):
                    self._pids[slot] = 0
                    self._deaths += 1
            return sum(1 for pid in self._pids[:] if pid)

    def pop_deaths(self) -> int:
        """Return how many workers `count_busy` has seen dead since the last call, and reset that count."""
        deaths, self._deaths = self._deaths, 0
        return deaths

    def count_prefetched(self) -> int:
        """Return the number of prefetched tasks."""
        return int(self._prefetched.value)

    def measure_idle_s(self) -> float:
        """Return the seconds since a task was last prefetched, begun or ended."""
        return monotonic() - float(self._changed_at.value)


class TrackingBroker:
    """A django-q broker that reports every dequeued task to a WorkerActivity and delegates the rest."""

    def __init__(self, broker: Any, activity: WorkerActivity) -> None:
        self._broker = broker
        self._activity = activity

    def dequeue(self) -> Any:
        """Dequeue tasks and record how many."""
        tasks = self._broker.dequeue()
        if tasks:
            self._activity.add_prefetched(len(tasks))
        return tasks

    def __getattr__(self, name: str) -> Any:
        return getattr(self._broker, name)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
