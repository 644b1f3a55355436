"""The task queue: which tasks exist, on which queue each runs, and how to schedule one. The only file that imports django_q.

A queued task is a wake-up and nothing more: what is to be done stands in rows of our own, so a task that is lost, doubled
or late changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing.synchronize import Event
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.db import transaction
from django.utils.module_loading import import_string

UPLOADS = "uploads"
REPROCESS = "reprocess"
QUEUES = (UPLOADS, REPROCESS)

# Shared by the process that gets the signal to stop and the workers that are forked from it; see `run_workers`.
_stopping: Event | None = None


@dataclass(frozen=True)
class Task:
    """A function that workers run: its dotted path, its queue, and how often it runs by itself (minutes; 0: only when asked)."""

    path: str
    queue: str
    every_minutes: int = 0

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
        "catch_up": False,
        "label": "Task queue",
        "ALT_CLUSTERS": {queue: {"workers": workers[queue]} for queue in QUEUES},
    }


def enqueue(path: str, *args: str) -> None:
    """Queue a registered task once the current transaction commits; LookupError when the path is not registered."""
    task = _registered(path)
    transaction.on_commit(partial(_send, task, args))


def sync_schedules() -> None:
    """Make the schedule rows equal to the registered tasks, so that nothing else runs by itself."""
    from django_q.models import Schedule

    recurring = [task for task in settings.QUEUE_TASKS if task.every_minutes]
    for task in recurring:
        Schedule.objects.update_or_create(
            name=task.path,
            defaults={
                "func": task.path,
                "schedule_type": Schedule.MINUTES,
                "minutes": task.every_minutes,
                "repeats": -1,
                "cluster": task.queue,
            },
        )
    Schedule.objects.exclude(name__in=[task.path for task in recurring]).delete()


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
