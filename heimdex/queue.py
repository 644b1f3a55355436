"""The task queue: register, enqueue and run tasks. The only module that imports django_q.

Tasks wait in the database, or in Redis when HEIMDEX_REDIS_URL is set. A queued task is only a wake-up: the work itself is described by
rows of our own, so a lost, duplicated or late task changes nothing.
"""

import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from typing import Any, cast

import structlog
from django.conf import settings
from django.core import signing
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from heimdex.redis_broker import QueueUnavailable, RedisBroker
from heimdex.worker_activity import TrackingBroker, WorkerActivity

log = structlog.get_logger(__name__)

UPLOADS = "uploads"
REPROCESS = "reprocess"
QUEUES = (UPLOADS, REPROCESS)

_FLUSH_BATCH = 100

# Shared by the process that receives the stop signal and the workers forked from it; see `start_cluster`.
_stopping: Event | None = None


@dataclass(frozen=True)
class Task:
    """A background function: its dotted path and its queue.

    A task with `every_s` is never queued: each process that owns the queue's workers calls it every `every_s` seconds, so it also runs
    while all workers are busy or dead.
    """

    path: str
    queue: str
    every_s: int = 0

    def resolve(self) -> Callable[..., object]:
        """Import the function. Raise ImportError when the path does not resolve."""
        function: Callable[..., object] = import_string(self.path)
        return function


def build_cluster_settings(*, workers: dict[str, int], task_timeout_s: int) -> dict[str, Any]:
    """Build Q_CLUSTER: one cluster per queue, selected by the environment variable Q_CLUSTER_NAME."""
    return {
        "name": "heimdex",
        "orm": "default",
        "bulk": 1,  # `TrackingBroker` takes one task for one free worker.
        "queue_limit": 1,  # The retry clock starts when a task is taken, not when a worker begins it.
        "timeout": task_timeout_s,
        "retry": task_timeout_s + 60,
        "guard_cycle": 0.5,  # Must divide the timeout exactly, or hung workers are never killed.
        "max_attempts": 1,  # Attempts are counted in our own rows, before the work starts.
        "ack_failures": True,
        "save_limit": 1000,
        # Rows of its schedule can run any dotted path; recurring tasks are declared in code instead.
        "scheduler": False,
        "label": "Task queue",
        "ALT_CLUSTERS": {queue: {"workers": workers[queue]} for queue in QUEUES},
    }


def enqueue(path: str, *args: str) -> None:
    """Enqueue a registered task when the current transaction commits. Raise LookupError when the path is not registered."""
    task = _find_task(path)
    transaction.on_commit(partial(_send, task, args))


def ping() -> None:
    """Ping Redis, if the queue uses it. Raise QueueUnavailable, which names the fix.

    The database needs no ping, because it is queried all the time.
    """
    if settings.REDIS_URL:
        _get_redis_broker(QUEUES[0]).ping()


@dataclass(frozen=True)
class TaskCounts:
    """How many tasks of a queue wait, and how many a worker has taken and not acknowledged."""

    waiting: int
    unacked: int


def count_tasks(queue: str) -> TaskCounts:
    """Count a queue's tasks. Raise QueueUnavailable when Redis cannot be reached."""
    broker = _get_broker(queue)
    fallback = _filter_database_tasks(queue).count() if settings.REDIS_URL else 0
    return TaskCounts(waiting=broker.queue_size() + fallback, unacked=broker.lock_size())


def measure_oldest_wait_s(queue: str) -> float:
    """Return the seconds the next task has waited, 0 when none waits. Raise QueueUnavailable when Redis cannot be reached."""
    now = timezone.now()
    if settings.REDIS_URL:
        payload = _get_redis_broker(queue).peek()
        since = _read_start(payload) if payload else now
    else:
        since = _filter_database_tasks(queue).filter(lock__lt=now).order_by("lock").values_list("lock", flat=True).first() or now
    return float((now - since).total_seconds())


def requeue_unacked(queue: str) -> None:
    """Return unacknowledged tasks to the queue; a task that runs twice changes nothing."""
    if settings.REDIS_URL:
        _get_redis_broker(queue).requeue_unacked()
    else:
        now = timezone.now()
        _filter_database_tasks(queue).filter(lock__gt=now).update(lock=now)


def flush_fallback_queue(queue: str) -> int:
    """Send to Redis the tasks that the database stored during an outage; return how many.

    Raise QueueUnavailable while Redis cannot be reached.
    """
    if not settings.REDIS_URL:
        return 0
    broker = _get_redis_broker(queue)
    with transaction.atomic():
        tasks = list(_filter_database_tasks(queue).select_for_update(skip_locked=True).order_by("pk")[:_FLUSH_BATCH])
        for task in tasks:
            broker.enqueue(task.payload)
        _filter_database_tasks(queue).filter(pk__in=[task.pk for task in tasks]).delete()
    return len(tasks)


class VerifyingBroker:
    """A django-q broker that hands out tasks of all secret keys, and keeps those that it cannot verify. It delegates the rest.

    django-q itself knows the current key only, and deletes a task that it cannot verify.
    """

    def __init__(self, broker: Any) -> None:
        self._broker = broker

    def dequeue(self) -> list[tuple[Any, str]]:
        """Dequeue tasks, and sign them with the current key.

        A task of an unknown key stays unacknowledged: the next process that starts, perhaps with the right key, gets it.
        """
        tasks = []
        for receipt, payload in self._broker.dequeue() or ():
            signer = _build_signer()
            try:
                tasks.append((receipt, signer.sign(signer.unsign(payload))))
            except signing.BadSignature:
                log.error(
                    "A task is signed with another secret key. It is kept. Start all processes with the same HEIMDEX_SECRET_KEY, "
                    "and with the key before it in HEIMDEX_SECRET_KEY_FALLBACKS",
                    queue=self._broker.list_key,
                )
        return tasks

    def __getattr__(self, name: str) -> Any:
        return getattr(self._broker, name)


def start_cluster(queue: str, count: int, activity: WorkerActivity) -> tuple[Callable[[], bool], Callable[[], None]]:
    """Start a queue's `count` workers, which Q_CLUSTER_NAME must name too; return `is_alive` and `stop`.

    `stop` first tells the workers, so that long work ends at its next boundary, and then waits for them. The caller's signal handlers stay
    installed.
    """
    global _stopping
    from django_q.cluster import Cluster
    from django_q.signals import post_execute_in_worker, pre_execute

    _stopping = stopping = get_context("fork").Event()
    pre_execute.connect(lambda **kwargs: activity.begin_task(), weak=False, dispatch_uid="heimdex.worker_activity")
    post_execute_in_worker.connect(lambda **kwargs: activity.end_task(), weak=False, dispatch_uid="heimdex.worker_activity")
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    cluster = Cluster(TrackingBroker(VerifyingBroker(_get_broker(queue)), activity, count))
    # django-q's handlers would stop the workers without telling the caller, which would then consider them dead.
    for number, handler in handlers.items():
        signal.signal(number, handler)
    cluster.start()

    def stop() -> None:
        stopping.set()
        # Without a living sentinel, `cluster.stop()` would wait for its event forever.
        if cluster.sentinel.is_alive():
            cluster.stop()

    return cluster.sentinel.is_alive, stop


def is_stopping() -> bool:
    """Return whether this worker was told to stop; long work then ends at its next boundary."""
    return _stopping is not None and _stopping.is_set()


def _find_task(path: str) -> Task:
    for task in settings.QUEUE_TASKS:
        if task.path == path:
            return task
    raise LookupError(f"{path!r} is not in settings.QUEUE_TASKS; register it there with its queue")


def _send(task: Task, args: tuple[str, ...]) -> None:
    from django_q.brokers.orm import ORM
    from django_q.tasks import async_task

    try:
        async_task(task.path, *args, cluster=task.queue, broker=_get_broker(task.queue))
    except QueueUnavailable as error:
        # The request must not fail for it; `flush_fallback_queue` sends the task when Redis is back.
        log.warning("Stored a task in the database until the queue is back", task=task.path, reason=str(error))
        async_task(task.path, *args, cluster=task.queue, broker=ORM(list_key=task.queue))


def _build_signer() -> signing.TimestampSigner:
    """Return django-q's signer, which accepts the fallback keys too."""
    from django_q.conf import Conf

    return signing.TimestampSigner(salt=Conf.PREFIX)


def _read_start(payload: str) -> datetime:
    """Return when a task was queued, or now for one that no key of ours has signed."""
    from django_q.signing import PickleSerializer

    try:
        task: dict[str, Any] = _build_signer().unsign_object(payload, serializer=PickleSerializer)
    except signing.BadSignature:
        return timezone.now()
    return cast(datetime, task["started"])


def _get_broker(queue: str) -> Any:
    from django_q.brokers.orm import ORM

    return _get_redis_broker(queue) if settings.REDIS_URL else ORM(list_key=queue)


def _get_redis_broker(queue: str) -> RedisBroker:
    return _connect(settings.REDIS_URL, queue)


@cache
def _connect(url: str, queue: str) -> RedisBroker:
    """Return this process's connection pool, which detects a fork by itself."""
    return RedisBroker(url, queue)


def _filter_database_tasks(queue: str) -> Any:
    """Return django-q's rows of a queue: all its tasks, or with Redis those stored during an outage."""
    from django_q.models import OrmQ

    return OrmQ.objects.filter(key=queue)
