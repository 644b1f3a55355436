"""Leases: an expiring right to work on rows, and the rescue of rows whose worker was lost.

Every write checks the lease's token, which fences off workers that lost the lease.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, Self, TypeVar
from uuid import UUID, uuid4

import structlog
from django.conf import settings
from django.db import models, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

log = structlog.get_logger(__name__)

# A queued task that no worker has started for this long counts as lost. A second task for the same work does no harm.
WAKE_AGAIN_AFTER = timedelta(minutes=10)
RESCUED = "Rescued work whose worker was lost"
_BATCH = 200


class LeaseLost(Exception):
    """The lease is lost: another worker acquired a row, or the rows were deleted. Stop, and write nothing."""


class LeasedModel(models.Model):
    """A row that one worker at a time processes, under a lease, in a limited number of attempts."""

    attempts = models.PositiveSmallIntegerField(default=0)
    lease_token = models.UUIDField(null=True, editable=False)
    # Without a token, no worker is woken for the row before this time.
    lease_expires_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True

    @property
    def is_last_attempt(self) -> bool:
        """Whether the current attempt is the last one allowed."""
        return self.attempts >= settings.MAX_ATTEMPTS

    @property
    def is_exhausted(self) -> bool:
        """Whether the workers of all allowed attempts died, so that this attempt must not start."""
        return self.attempts > settings.MAX_ATTEMPTS


M = TypeVar("M", bound=LeasedModel)
U = TypeVar("U", bound=models.Model)

# The update that ends the lease on rows.
RELEASED: dict[str, None] = {"lease_token": None, "lease_expires_at": None}


def is_unleased() -> Q:
    """Match rows without a lease or with an expired one."""
    return Q(lease_expires_at__isnull=True) | Q(lease_expires_at__lt=timezone.now())


def clear_expired(rows: models.QuerySet[Any], now: datetime) -> None:
    """Remove expired leases from rows, so that the next rescue does not find them again. Call it in a transaction.

    Rows that another transaction has locked are skipped: a worker is acquiring them.
    """
    # One update would not do. It waits for that worker, and then judges rows that are joined to others by the expired lease that it saw.
    expired = rows.filter(lease_expires_at__lt=now).select_for_update(skip_locked=True, of=("self",))
    rows.model._default_manager.filter(pk__in=list(expired.values_list("pk", flat=True))).update(**RELEASED)


def compute_retry_delay(attempts: int) -> timedelta:
    """Return the delay before the next attempt: longer after each, and zero when no other attempt follows."""
    return timedelta(seconds=settings.RETRY_AFTER_SECONDS * attempts) if attempts < settings.MAX_ATTEMPTS else timedelta()


def build_requeue_update(attempts: int) -> dict[str, Any]:
    """Return the update that ends the lease on a row and delays the next attempt."""
    return {"lease_token": None, "lease_expires_at": timezone.now() + compute_retry_delay(attempts)}


class Lease:
    """The lease of one worker on some rows of a model."""

    def __init__(self, model: type[LeasedModel], token: UUID, row_ids: frozenset[Any]) -> None:
        self.token = token
        self._model = model
        self._row_ids = row_ids
        self._renewed_at = monotonic()

    @classmethod
    def acquire(cls, rows: models.QuerySet[M], limit: int, **changes: Any) -> tuple[Self, list[M]]:
        """Acquire a lease on up to `limit` unleased rows of a query, count an attempt in each, and apply the changes.

        Rows that another worker is acquiring are skipped. Return the lease and the rows, which are empty when there is none.
        """
        token = uuid4()
        with transaction.atomic():
            acquired = list(rows.filter(is_unleased()).select_for_update(skip_locked=True, of=("self",))[:limit])
            changes = {"lease_token": token, "lease_expires_at": _compute_expiry(), **changes}
            ids = frozenset(row.pk for row in acquired)
            rows.model._default_manager.filter(pk__in=ids).update(attempts=F("attempts") + 1, **changes)
        for row in acquired:
            for field, value in {"attempts": row.attempts + 1, **changes}.items():
                setattr(row, field, value)
        return cls(rows.model, token, ids), acquired

    @property
    def rows(self) -> models.QuerySet[Any]:
        """The rows that the lease still holds."""
        return self._model._default_manager.filter(lease_token=self.token)

    def renew(self, **changes: Any) -> None:
        """Extend the lease and apply the changes to its rows. Raise LeaseLost when it has none left."""
        self._renewed_at = monotonic()
        if not self.rows.update(lease_expires_at=_compute_expiry(), **changes):
            raise LeaseLost

    def renew_if_due(self, **changes: Any) -> None:
        """Renew the lease once a tenth of its time has passed. Raise LeaseLost when it is gone."""
        if monotonic() - self._renewed_at >= settings.LEASE_SECONDS / 10:
            self.renew(**changes)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Open a transaction that commits only while the lease holds all its rows that still exist. Raise LeaseLost otherwise."""
        with transaction.atomic():
            rows = self._model._default_manager.select_for_update().filter(pk__in=self._row_ids).order_by("pk")
            if set(rows.values_list("lease_token", flat=True)) != {self.token}:
                raise LeaseLost
            yield

    def lock_row(self, row_id: Any) -> Any:
        """Lock one row until the transaction ends, and return it. Raise LeaseLost when the lease no longer holds it.

        Use it instead of `transaction` for rows that leave the lease one by one.
        """
        row = self.rows.select_for_update(of=("self",)).filter(pk=row_id).first()
        if row is None:
            raise LeaseLost
        return row

    def release(self, **changes: Any) -> None:
        """End the lease on the rows that it still holds, and apply the changes to them."""
        self.rows.update(**{**RELEASED, **changes})


def requeue_lost(running: QuerySet[M], *, on_last_attempt: Callable[[M], None] | None = None, **changes: Any) -> None:
    """Requeue running rows whose lease has expired: apply the changes, and delay each row's next attempt.

    With `on_last_attempt`, rows that have used their last attempt are passed to it instead.
    """
    with transaction.atomic():
        for row in running.filter(is_unleased()).select_for_update(skip_locked=True, of=("self",))[:_BATCH]:
            log.warning(RESCUED, model=row._meta.label, id=str(row.pk), attempt=row.attempts)
            if on_last_attempt and row.is_last_attempt:
                on_last_attempt(row)
            else:
                running.model._default_manager.filter(pk=row.pk).update(**build_requeue_update(row.attempts), **changes)


def wake_stuck(
    units: QuerySet[U],
    rows: QuerySet[Any],
    unit_field: str,
    wake: Callable[[U], None],
    now: datetime,
    *,
    wake_again_after: timedelta = WAKE_AGAIN_AFTER,
) -> int:
    """Wake a worker for every unit of work that has none. Return how many units.

    A unit is a video, run or photo with a field `woken_at`. `rows` are the leased rows, and their `unit_field` refers to the unit. A unit
    has no worker when a lease or delay of its rows expired before `now`, or when no row is leased and it was last woken more than
    `wake_again_after` ago. Only lost workers are logged as such: a delay that has passed is no loss, and a task may still be waiting.
    """
    unit_rows = rows.filter(**{unit_field: OuterRef("pk")})
    expired = unit_rows.filter(lease_expires_at__lt=now)
    is_leased = Exists(unit_rows.filter(lease_expires_at__gte=now))
    is_asleep = Q(woken_at__isnull=True) | Q(woken_at__lt=now - wake_again_after)
    without_worker = units.filter(Exists(expired) | (~is_leased & is_asleep)).order_by("created_at")
    with transaction.atomic():
        locked = list(without_worker.select_for_update(skip_locked=True, of=("self",))[:_BATCH])
        # Again under the locks: the first statement may still see the leases that another rescue has just cleared.
        stuck = list(
            without_worker.filter(pk__in=[unit.pk for unit in locked]).annotate(was_lost=Exists(expired.filter(lease_token__isnull=False)))
        )
        # An expired lease must not trigger another rescue before a worker has started.
        clear_expired(rows.filter(**{f"{unit_field}__in": [unit.pk for unit in stuck]}), now)
        for unit in stuck:
            if unit.was_lost:  # type: ignore[attr-defined]  # annotated
                log.warning(RESCUED, model=unit._meta.label, id=str(unit.pk))
            else:
                log.info("Woke a worker for waiting work", model=unit._meta.label, id=str(unit.pk))
            wake(unit)
    return len(stuck)


def _compute_expiry() -> datetime:
    return timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)
