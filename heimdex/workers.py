"""The process that keeps one queue's workers: it calls what recurs, and ends itself when the workers hang."""

import os
import signal
import threading
from contextlib import suppress
from time import monotonic
from types import FrameType

import psutil
import structlog
from django.conf import settings
from django.db import DatabaseError, close_old_connections

from heimdex.busy import BusyWorkers
from heimdex.queue import Task, hand_back, oldest_wait_s, ping, send_kept, start_cluster
from heimdex.redis_broker import QueueUnavailable

log = structlog.get_logger(__name__)

TICK_S = 1.0
SEND_KEPT_EVERY = 5
# django-q's process that takes tasks begins anew so long after an outage of the database.
_OUTAGE_S = 15.0
HUNG = 1


def keep_workers(queue: str, count: int) -> int:
    """Run a queue's workers until SIGTERM or SIGINT; return the exit code: 0, or 1 when they died or hung and were killed.

    A supervisor outside starts this process anew. What the killed workers held is freed when its lease ends. QueueUnavailable when
    the queue's server cannot be reached at the start; later outages are waited out.
    """
    ping()
    # What a process before this one had taken when it was killed.
    hand_back(queue)
    told_to_stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        told_to_stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    busy = BusyWorkers()
    alive, stop = start_cluster(queue, busy)
    recurring = [task for task in settings.QUEUE_TASKS if task.every_s and task.queue == queue]
    guard = Guard(queue, count, busy)
    ticks = 0
    while not told_to_stop.wait(TICK_S):
        ticks += 1
        for task in recurring:
            if ticks % task.every_s == 0:
                _call(task)
        if ticks % SEND_KEPT_EVERY == 0:
            _send_kept(queue)
        if not alive() or guard.hung():
            log.error("The workers died or hang: ending them, so that they are started anew", queue=queue)
            _kill_children()
            return HUNG
        guard.hand_back_of_the_dead()
    stop()
    return 0


class Guard:
    """Tells whether the workers of this process hang, whatever those of other processes do, and gives back what dead ones had begun."""

    def __init__(self, queue: str, count: int, busy: BusyWorkers) -> None:
        self._queue = queue
        self._count = count
        self._busy = busy
        self._suspected_at: float | None = None
        self._died_at: float | None = None

    def hung(self) -> bool:
        """Say whether tasks have lain beside a free worker for long, as after one was killed while it held the lock of their queue."""
        if not self._tasks_lie():
            self._suspected_at = None
            return False
        self._suspected_at = self._suspected_at or monotonic()
        # After an outage tasks are old already, and are taken a moment later.
        return monotonic() - self._suspected_at >= min(_OUTAGE_S, settings.HUNG_AFTER_SECONDS)

    def hand_back_of_the_dead(self) -> None:
        """Let the tasks of workers that died at work be done again, though not so soon that one that kills workers does nothing else."""
        if self._busy.deaths():
            self._died_at = self._died_at or monotonic()
        if self._died_at and monotonic() - self._died_at >= settings.HUNG_AFTER_SECONDS:
            self._died_at = None
            with suppress(DatabaseError, QueueUnavailable):
                hand_back(self._queue)

    def _tasks_lie(self) -> bool:
        patience_s = settings.HUNG_AFTER_SECONDS
        if self._busy.count() >= self._count or self._busy.quiet_s() < patience_s:
            return False
        try:
            return self._busy.lying() > 0 or oldest_wait_s(self._queue) > patience_s
        except (DatabaseError, QueueUnavailable):
            return False


def _call(task: Task) -> None:
    close_old_connections()
    try:
        task.resolve()()
    except DatabaseError as error:
        # The database is away or restarting: the next tick tries again.
        log.warning("A recurring task could not run", task=task.path, reason=str(error).strip())


def _send_kept(queue: str) -> None:
    # The workers log that the queue is away, and the recurring tasks that the database is.
    with suppress(DatabaseError, QueueUnavailable):
        if sent := send_kept(queue):
            log.info("Sent tasks that were kept while the queue was away", queue=queue, tasks=sent)


def _kill_children() -> None:
    for child in psutil.Process(os.getpid()).children(recursive=True):
        try:
            child.kill()
        except psutil.NoSuchProcess:
            continue
