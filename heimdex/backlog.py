"""The work that waits for each queue's workers, counted from the rows that describe it.

A queued task is only a wake-up: a row can wait without one, and a task can be of no use. The apps above register what they count.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, Min, OuterRef, QuerySet
from django.utils import timezone

from heimdex.queue import QUEUES


@dataclass(frozen=True)
class WorkCount:
    """Units of one kind (videos, for example): how many wait and since when, and how many a worker has leased."""

    waiting: int
    in_progress: int
    waiting_since: datetime | None


@dataclass(frozen=True)
class Backlog:
    """The work of one queue. `oldest_wait_s` is 0 when nothing waits."""

    queue: str
    waiting: int
    in_progress: int
    oldest_wait_s: float

    def __str__(self) -> str:
        longest = f" (longest {self.oldest_wait_s:.0f} s)" if self.waiting else ""
        return f"{self.queue}: {self.waiting} waiting{longest}, {self.in_progress} in progress"


_counters: defaultdict[str, list[Callable[[], WorkCount]]] = defaultdict(list)


def register_work(queue: str, count: Callable[[], WorkCount]) -> None:
    """Count this work for a queue too. Call it in `AppConfig.ready`."""
    if count not in _counters[queue]:
        _counters[queue].append(count)


def measure_backlogs() -> list[Backlog]:
    """Return what waits for the workers of each queue."""
    return [_measure_backlog(queue) for queue in QUEUES]


def count_work(units: QuerySet[Any], rows: QuerySet[Any], unit_field: str, since_field: str) -> WorkCount:
    """Count units of work, such as videos, whose leased rows refer to them by `unit_field`. `since_field` is when a unit began to wait."""
    is_leased = Exists(rows.filter(**{unit_field: OuterRef("pk")}, lease_token__isnull=False, lease_expires_at__gte=timezone.now()))
    in_progress = units.filter(is_leased).count()
    waiting = units.filter(~is_leased).aggregate(number=Count("pk"), since=Min(since_field))
    return WorkCount(waiting["number"], in_progress, waiting["since"])


def _measure_backlog(queue: str) -> Backlog:
    counts = [count() for count in _counters[queue]]
    since = min((count.waiting_since for count in counts if count.waiting_since), default=None)
    return Backlog(
        queue,
        waiting=sum(count.waiting for count in counts),
        in_progress=sum(count.in_progress for count in counts),
        oldest_wait_s=max(0.0, (timezone.now() - since).total_seconds()) if since else 0.0,
    )
