"""The task queue: which tasks exist, on which queue each runs, and how to schedule one. The only file that imports django_q.

A queued task is a wake-up and nothing more: what is to be done stands in rows of our own, so a task that is lost, doubled
or late changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from heimdex.busy import BusyWorkers

UPLOADS = "uploads"
REPROCESS = "reprocess"
QUEUES = (UPLOADS, REPROCESS)

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


def overdue(queue: str, since: datetime, after_s: float) -> tuple[int, int]:
    """Count a queue's tasks that have waited longer than `after_s`, and those taken so long ago, after `since`, and not done yet."""
    from django_q.models import OrmQ

    late = timezone.now() - timedelta(seconds=after_s)
    # The broker moves a task's lock this far ahead when it takes it.
    retry = timedelta(seconds=settings.Q_CLUSTER["retry"])
    tasks = OrmQ.objects.filter(key=queue)
    return tasks.filter(lock__lt=late).count(), tasks.filter(lock__gte=since + retry, lock__lt=late + retry).count()


def hand_back(queue: str) -> None:
    """Let the tasks that were taken from a queue and not done be taken again; a task that runs twice changes nothing."""
    from django_q.models import OrmQ

    OrmQ.objects.filter(key=queue, lock__gt=timezone.now()).update(lock=timezone.now())


def start_cluster(busy: BusyWorkers) -> tuple[Callable[[], bool], Callable[[], None]]:
    """Start the workers of the queue that Q_CLUSTER_NAME names; return how to ask whether they live, and how to stop them.

    Stopping tells them first, so that long work ends at its next border, and then waits for it.
    """
    global _stopping
    from django_q.cluster import Cluster
    from django_q.signals import post_execute_in_worker, pre_execute

    _stopping = stopping = get_context("fork").Event()
    pre_execute.connect(lambda **kwargs: busy.begin(), weak=False, dispatch_uid="heimdex.busy")
    post_execute_in_worker.connect(lambda **kwargs: busy.end(), weak=False, dispatch_uid="heimdex.busy")
    cluster = Cluster()
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
    from django_q.tasks import async_task

    async_task(task.path, *args, cluster=task.queue)
