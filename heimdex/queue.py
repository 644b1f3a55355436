"""The task queue: which tasks exist, on which queue each runs, and how to schedule one. The only file that imports django_q.

The tasks wait in the database, or in Redis when HEIMDEX_REDIS_URL names one.
A queued task is a wake-up and nothing more: what is to be done stands in rows of our own, so a task that is lost, doubled
or late changes nothing.
"""

import signal
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from typing import Any

import structlog
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from heimdex.busy import BusyWorkers, NotingBroker
from heimdex.redis_broker import QueueUnavailable, RedisBroker

log = structlog.get_logger(__name__)

UPLOADS = "uploads"
REPROCESS = "reprocess"
QUEUES = (UPLOADS, REPROCESS)
# Of the checks that look at the tasks and at the queue's server.
QUEUE_TAG = "queue"

_SEND_AT_ONCE = 100

# Shared by the process that gets the signal to stop and the workers that are forked from it; see `start_cluster`.
_stopping: Event | None = None


@dataclass(frozen=True)
class Task:
    """A function that runs in the background: its dotted path and its queue.

    With `every_s` it is not queued: each process that keeps the queue's workers calls it that often itself, so that it runs
    also while all workers are busy or dead.
    """

    path: str
    queue: str
    every_s: int = 0

    def resolve(self) -> Callable[..., object]:
        """Import the function; ImportError means that the path names nothing."""
        function: Callable[..., object] = import_string(self.path)
        return function


def cluster_settings(*, workers: dict[str, int], task_timeout_s: int) -> dict[str, Any]:
    """Build Q_CLUSTER: one cluster per queue, chosen by the variable Q_CLUSTER_NAME of its process."""
    return {
        "name": "heimdex",
        "orm": "default",
        "bulk": 1,
        "queue_limit": 1,  # The retry clock starts when a task is taken, not when a worker begins it.
        "timeout": task_timeout_s,
        "retry": task_timeout_s + 60,
        "guard_cycle": 0.5,  # Must divide the timeout exactly, or hung workers are never killed.
        "max_attempts": 1,  # Attempts are counted in our own rows, before the work starts.
        "ack_failures": True,
        "save_limit": 1000,
        # Rows of its schedule run any dotted path; what recurs is in the code instead.
        "scheduler": False,
        "label": "Task queue",
        "ALT_CLUSTERS": {queue: {"workers": workers[queue]} for queue in QUEUES},
    }


def enqueue(path: str, *args: str) -> None:
    """Queue a registered task once the current transaction commits; LookupError when the path is not registered."""
    task = _registered(path)
    transaction.on_commit(partial(_send, task, args))


def check_tasks(**kwargs: Any) -> list[CheckMessage]:
    """Return an error for every registered task whose dotted path does not resolve or whose queue no worker serves."""
    errors: list[CheckMessage] = []
    for task in settings.QUEUE_TASKS:
        try:
            task.resolve()
        except ImportError as error:
            errors.append(
                Error(
                    f"The task {task.path!r} does not resolve: {error}.",
                    hint="Correct the path in settings.QUEUE_TASKS, or install what the worker lacks.",
                    id="heimdex.E010",
                )
            )
        if task.queue not in QUEUES:
            errors.append(
                Error(f"The task {task.path!r} names the unknown queue {task.queue!r}.", hint=f"Use one of {QUEUES}.", id="heimdex.E011")
            )
    return errors


def check_server(**kwargs: Any) -> list[CheckMessage]:
    """Return an error when the Redis that HEIMDEX_REDIS_URL names cannot be reached."""
    try:
        ping()
    except QueueUnavailable as error:
        return [Error(str(error), id="heimdex.E012")]
    return []


def ping() -> None:
    """Ask the queue's server for a sign of life; QueueUnavailable names the fix. The database needs none: it is asked all the time."""
    if settings.REDIS_URL:
        _redis(QUEUES[0]).ping()


@dataclass(frozen=True)
class Depth:
    """How many tasks of a queue wait, and how many were taken by workers and not done yet."""

    waiting: int
    taken: int


def depth(queue: str) -> Depth:
    """Count a queue's tasks; QueueUnavailable when Redis is away."""
    broker = _broker(queue)
    # What was kept in the database while Redis was away waits too.
    kept = _kept(queue).count() if settings.REDIS_URL else 0
    return Depth(waiting=broker.queue_size() + kept, taken=broker.lock_size())


def oldest_wait_s(queue: str) -> float:
    """Return for how many seconds the task that is taken next has waited, 0 when none waits; QueueUnavailable when Redis is away."""
    now = timezone.now()
    if settings.REDIS_URL:
        from django_q.signing import SignedPackage

        payload = _redis(queue).oldest()
        since = SignedPackage.loads(payload)["started"] if payload else now
    else:
        since = _kept(queue).filter(lock__lt=now).order_by("lock").values_list("lock", flat=True).first() or now
    return float((now - since).total_seconds())


def hand_back(queue: str) -> None:
    """Let the tasks that were taken from a queue and not done be taken again; a task that runs twice changes nothing."""
    if settings.REDIS_URL:
        _redis(queue).hand_back()
    else:
        now = timezone.now()
        _kept(queue).filter(lock__gt=now).update(lock=now)


def send_kept(queue: str) -> int:
    """Send to Redis what was kept in the database while it was away; return how many. QueueUnavailable while it still is."""
    if not settings.REDIS_URL:
        return 0
    broker = _redis(queue)
    with transaction.atomic():
        kept = list(_kept(queue).select_for_update(skip_locked=True).order_by("pk")[:_SEND_AT_ONCE])
        for task in kept:
            broker.enqueue(task.payload)
        _kept(queue).filter(pk__in=[task.pk for task in kept]).delete()
    return len(kept)


def start_cluster(queue: str, busy: BusyWorkers) -> tuple[Callable[[], bool], Callable[[], None]]:
    """Start the workers of a queue, which Q_CLUSTER_NAME must name too; return how to ask whether they live, and how to stop them.

    Stopping tells them first, so that long work ends at its next border, and then waits for it. The handlers of signals stay the caller's.
    """
    global _stopping
    from django_q.cluster import Cluster
    from django_q.signals import post_execute_in_worker, pre_execute

    _stopping = stopping = get_context("fork").Event()
    pre_execute.connect(lambda **kwargs: busy.begin(), weak=False, dispatch_uid="heimdex.busy")
    post_execute_in_worker.connect(lambda **kwargs: busy.end(), weak=False, dispatch_uid="heimdex.busy")
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    cluster = Cluster(NotingBroker(_broker(queue), busy))
    # Its own would stop the workers behind the caller's back, who would then take them for dead.
    for number, handler in handlers.items():
        signal.signal(number, handler)
    cluster.start()

    def stop() -> None:
        stopping.set()
        # With the sentinel gone, its event would be waited for without end.
        if cluster.sentinel.is_alive():
            cluster.stop()

    return cluster.sentinel.is_alive, stop


def is_stopping() -> bool:
    """Say whether this worker was told to stop, so that long work ends at its next border."""
    return _stopping is not None and _stopping.is_set()


def _registered(path: str) -> Task:
    for task in settings.QUEUE_TASKS:
        if task.path == path:
            return task
    raise LookupError(f"{path!r} is not in settings.QUEUE_TASKS; register it there with its queue")


def _send(task: Task, args: tuple[str, ...]) -> None:
    from django_q.brokers.orm import ORM
    from django_q.tasks import async_task

    try:
        async_task(task.path, *args, cluster=task.queue, broker=_broker(task.queue))
    except QueueUnavailable as error:
        # The request that asked for it has done its part; `send_kept` follows when Redis is back.
        log.warning("A task is kept in the database for now", task=task.path, reason=str(error))
        async_task(task.path, *args, cluster=task.queue, broker=ORM(list_key=task.queue))


def _broker(queue: str) -> Any:
    from django_q.brokers.orm import ORM

    return _redis(queue) if settings.REDIS_URL else ORM(list_key=queue)


def _redis(queue: str) -> RedisBroker:
    return _connected(settings.REDIS_URL, queue)


@cache
def _connected(url: str, queue: str) -> RedisBroker:
    """Keep one pool of connections per process; it notices by itself when the process was forked."""
    return RedisBroker(url, queue)


def _kept(queue: str) -> Any:
    from django_q.models import OrmQ

    return OrmQ.objects.filter(key=queue)
