"""Track what the workers of one cluster do, in memory that its processes share."""

import multiprocessing
import os
from time import monotonic, sleep
from typing import Any

_MAX_WORKERS = 64
# While all workers are busy, the interval (seconds) at which the process that takes tasks looks for a free one.
_POLL_S = 0.05


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

    def drop_prefetched(self) -> None:
        """Record that a prefetched task cannot be read, so that no worker will begin it."""
        self.add_prefetched(-1)

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

    def count_free(self, workers: int) -> int:
        """Count the workers that can start another task now. Takes no lock, which a killed process could hold forever."""
        # Prefetched tasks first: a task that is begun in between is then counted twice, instead of not at all.
        prefetched = self.count_prefetched()
        pids: Any = self._pids.get_obj()
        return workers - prefetched - sum(1 for pid in pids if pid and _is_alive(pid))

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
    """A django-q broker that takes a task only for a free worker, reports it to a WorkerActivity, and delegates the rest.

    django-q itself takes tasks while all workers are busy. They would wait there, beside free workers of other processes.
    """

    def __init__(self, broker: Any, activity: WorkerActivity, workers: int) -> None:
        self._broker = broker
        self._activity = activity
        self._workers = workers

    def dequeue(self) -> Any:
        """Dequeue tasks and record how many. Return None after a moment while no worker is free."""
        if self._activity.count_free(self._workers) < 1:
            sleep(_POLL_S)
            return None
        tasks = self._broker.dequeue()
        if tasks:
            self._activity.add_prefetched(len(tasks))
        return tasks

    def fail(self, receipt: Any) -> None:
        """Delete a dequeued task that cannot be read."""
        self._broker.fail(receipt)
        self._activity.drop_prefetched()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._broker, name)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
