"""The process that keeps one queue's workers: it calls what recurs, and ends itself when the workers hang."""

import os
import signal
import threading
from contextlib import suppress
from datetime import datetime
from types import FrameType

import psutil
import structlog
from django.conf import settings
from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from heimdex.busy import BusyWorkers
from heimdex.queue import Task, hand_back, overdue, start_cluster

log = structlog.get_logger(__name__)

TICK_S = 1.0
HUNG = 1


def keep_workers(queue: str, count: int) -> int:
    """Run a queue's workers until SIGTERM or SIGINT; return the exit code: 0, or 1 when they died or hung and were killed.

    A supervisor outside starts this process anew. What the killed workers held is freed when its lease ends.
    """
    told_to_stop = threading.Event()
    busy = BusyWorkers()
    since = timezone.now()
    alive, stop = start_cluster(busy)

    def on_signal(number: int, frame: FrameType | None) -> None:
        told_to_stop.set()

    # After the cluster, which set handlers of its own and whose workers must not inherit ours.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    recurring = [task for task in settings.QUEUE_TASKS if task.every_s and task.queue == queue]
    ticks = 0
    while not told_to_stop.wait(TICK_S):
        ticks += 1
        for task in recurring:
            if ticks % task.every_s == 0:
                _call(task)
        if not alive() or _hung(queue, count, busy, since):
            log.error("The workers died or hang: ending them, so that they are started anew", queue=queue)
            _kill_children()
            with suppress(DatabaseError):
                hand_back(queue)
            return HUNG
    stop()
    return 0


def _call(task: Task) -> None:
    close_old_connections()
    try:
        task.resolve()()
    except DatabaseError as error:
        # The database is away or restarting: the next tick tries again.
        log.warning("A recurring task could not run", task=task.path, reason=str(error).strip())


def _hung(queue: str, count: int, busy: BusyWorkers, since: datetime) -> bool:
    """Say whether tasks lie although workers are free, as after one was killed while it held the lock of the cluster's queue.

    A worker that was killed at work looks the same; then the restart costs nothing but the time it takes.
    """
    try:
        waiting, taken = overdue(queue, since, settings.HUNG_AFTER_SECONDS)
    except DatabaseError:
        return False
    at_work = busy.count()
    return taken > at_work or (waiting > 0 and at_work < count)


def _kill_children() -> None:
    for child in psutil.Process(os.getpid()).children(recursive=True):
        try:
            child.kill()
        except psutil.NoSuchProcess:
            continue
