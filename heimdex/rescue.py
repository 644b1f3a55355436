"""Rescue: find work that no worker does any more, and wake workers for it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog
from django.db import transaction
from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from heimdex.leases import LeasedModel, clear_expired, requeued, unleased

log = structlog.get_logger(__name__)

U = TypeVar("U", bound=Model)
M = TypeVar("M", bound=LeasedModel)

# A queued task that no worker has started for this long counts as lost. A second task for the same work does no harm.
WAKE_AGAIN_AFTER = timedelta(minutes=10)
_BATCH = 200


def requeue_lost(running: QuerySet[M], *, on_last_attempt: Callable[[M], None] | None = None, **changes: Any) -> None:
    """Queue the running rows again whose worker no longer renews its lease: apply the changes, and delay the next attempt of each row.

    A row that has used its last attempt goes to `on_last_attempt` instead, if that is given.
    """
    with transaction.atomic():
        for row in running.filter(unleased()).select_for_update(skip_locked=True, of=("self",))[:_BATCH]:
            log.warning("A worker was lost", model=row._meta.label, id=str(row.pk), attempt=row.attempts)
            if on_last_attempt and row.is_last_attempt:
                on_last_attempt(row)
            else:
                running.model._default_manager.filter(pk=row.pk).update(**requeued(row.attempts), **changes)


def wake_stuck(
    units: QuerySet[U],
    rows: QuerySet[Any],
    unit_field: str,
    wake: Callable[[U], None],
    now: datetime,
    *,
    wake_again_after: timedelta = WAKE_AGAIN_AFTER,
) -> int:
    """Wake workers for the units of work that have none, and return how many units.

    A unit (a video, run or photo, with its field `woken_at`) has leased `rows`, whose `unit_field` is the unit. It has no worker when a
    lease or a delay of its rows has expired before `now`, or when no row is leased and it was last woken `wake_again_after` ago.
    """
    unit_rows = rows.filter(**{unit_field: OuterRef("pk")})
    has_expired = Exists(unit_rows.filter(lease_expires_at__lt=now))
    is_leased = Exists(unit_rows.filter(lease_expires_at__gte=now))
    is_asleep = Q(woken_at__isnull=True) | Q(woken_at__lt=now - wake_again_after)
    with transaction.atomic():
        stuck = list(
            units.filter(has_expired | (~is_leased & is_asleep))
            .select_for_update(skip_locked=True, of=("self",))
            .order_by("created_at")[:_BATCH]
        )
        # What has expired must not cause another rescue before a worker has started.
        clear_expired(rows.filter(**{f"{unit_field}__in": [unit.pk for unit in stuck]}), now)
        for unit in stuck:
            log.warning("Woke a worker for work that had none", model=unit._meta.label, id=str(unit.pk))
            wake(unit)
    return len(stuck)
