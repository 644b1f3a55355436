"""The process that owns one queue's workers: it runs recurring tasks, and exits when the workers hang."""

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

from heimdex.queue import Task, flush_fallback_queue, measure_oldest_wait_s, ping, requeue_unacked, start_cluster
from heimdex.redis_broker import QueueUnavailable
from heimdex.services.heartbeat import Heartbeat
from heimdex.worker_activity import WorkerActivity

log = structlog.get_logger(__name__)

TICK_S = 1.0
FLUSH_EVERY_TICKS = 5
# After an outage of the database django-q's dequeuing process restarts within this time.
_OUTAGE_S = 15.0
EXIT_HUNG = 1


def run_cluster(queue: str, count: int) -> int:
    """Run `count` workers of a queue until SIGTERM or SIGINT; return exit code 0, or 1 after killing dead or hung workers.

    An outer supervisor restarts this process. Leases of killed workers expire by themselves. Raise QueueUnavailable when the queue's
    server cannot be reached at the start; later outages are waited out.
    """
    ping()
    # An earlier process may have been killed after it took these tasks.
    requeue_unacked(queue)
    stop_requested = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop_requested.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    activity = WorkerActivity()
    is_alive, stop = start_cluster(queue, count, activity)
    recurring = [task for task in settings.QUEUE_TASKS if task.every_s and task.queue == queue]
    watchdog = ClusterWatchdog(queue, count, activity)
    heartbeat = Heartbeat.of(settings.ENVIRONMENT.home, queue)
    heartbeat.beat()
    # By the clock, because a tick takes seconds while the queue's server hangs.
    due = {task.path: monotonic() + task.every_s for task in recurring}
    ticks = 0
    while not stop_requested.wait(TICK_S):
        ticks += 1
        heartbeat.beat()
        for task in recurring:
            if monotonic() >= due[task.path]:
                due[task.path] = monotonic() + task.every_s
                _run_recurring(task)
        if ticks % FLUSH_EVERY_TICKS == 0:
            _flush_fallback_queue(queue)
        if not is_alive() or watchdog.is_hung():
            log.error("Workers died or hung; exiting so that they are restarted", queue=queue)
            _kill_children()
            return EXIT_HUNG
        watchdog.requeue_after_deaths()
    stop()
    return 0


class ClusterWatchdog:
    """Detect when this process's workers hang, and requeue the tasks of workers that died. Other processes do not affect it."""

    def __init__(self, queue: str, count: int, activity: WorkerActivity) -> None:
        self._queue = queue
        self._count = count
        self._activity = activity
        self._suspected_at: float | None = None
        self._died_at: float | None = None

    def is_hung(self) -> bool:
        """Return whether tasks wait too long although a worker is free. A worker killed while it holds the queue's lock causes this."""
        if not self._has_stuck_tasks():
            self._suspected_at = None
            return False
        self._suspected_at = self._suspected_at or monotonic()
        # After an outage the tasks are already old, and are taken a moment later.
        return monotonic() - self._suspected_at >= min(_OUTAGE_S, settings.HUNG_AFTER_SECONDS)

    def requeue_after_deaths(self) -> None:
        """Requeue the tasks of dead workers, delayed so that a task that kills its worker does not occupy the cluster."""
        if self._activity.pop_deaths():
            self._died_at = self._died_at or monotonic()
        if self._died_at and monotonic() - self._died_at >= settings.HUNG_AFTER_SECONDS:
            self._died_at = None
            with suppress(DatabaseError, QueueUnavailable):
                requeue_unacked(self._queue)

    def _has_stuck_tasks(self) -> bool:
        limit_s = settings.HUNG_AFTER_SECONDS
        if self._activity.count_busy() >= self._count or self._activity.measure_idle_s() < limit_s:
            return False
        try:
            return self._activity.count_prefetched() > 0 or measure_oldest_wait_s(self._queue) > limit_s
        except (DatabaseError, QueueUnavailable):
            return False


def _run_recurring(task: Task) -> None:
    close_old_connections()
    try:
        task.resolve()()
    except DatabaseError as error:
        # The database is down or restarting; the next tick tries again.
        log.warning("Recurring task failed", task=task.path, reason=str(error).strip())
    except Exception:
        # The workers must not be lost with it. The next tick tries again.
        log.exception("Recurring task failed", task=task.path)


def _flush_fallback_queue(queue: str) -> None:
    # The workers log outages of the queue, and the recurring tasks those of the database.
    with suppress(DatabaseError, QueueUnavailable):
        if sent := flush_fallback_queue(queue):
            log.info("Sent tasks that were stored during an outage of the queue", queue=queue, tasks=sent)


def _kill_children() -> None:
    for child in psutil.Process(os.getpid()).children(recursive=True):
        try:
            child.kill()
        except psutil.NoSuchProcess:
            continue
