"""Leases: an expiring right to work on rows. Every write checks the lease's token, which fences off workers that lost it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, Self, TypeVar
from uuid import UUID, uuid4

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone


class LeaseLost(Exception):
    """The lease is gone: another worker has acquired a row, or the rows were deleted. Stop, and write nothing."""


class LeasedModel(models.Model):
    """A row that one worker at a time works on, under a lease, in a limited number of attempts."""

    attempts = models.PositiveSmallIntegerField(default=0)
    lease_token = models.UUIDField(null=True, editable=False)
    # Without a token, this is the time before which no worker is woken for the row.
    lease_expires_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True

    @property
    def is_last_attempt(self) -> bool:
        """Whether no other attempt may follow the current one."""
        return self.attempts >= settings.MAX_ATTEMPTS

    @property
    def is_exhausted(self) -> bool:
        """Whether the workers of all allowed attempts have died, so that this attempt must not start."""
        return self.attempts > settings.MAX_ATTEMPTS


M = TypeVar("M", bound=LeasedModel)

# The update that ends the lease on rows.
RELEASED: dict[str, None] = {"lease_token": None, "lease_expires_at": None}


def unleased() -> Q:
    """Match rows without a lease or with an expired one."""
    return Q(lease_expires_at__isnull=True) | Q(lease_expires_at__lt=timezone.now())


def clear_expired(rows: models.QuerySet[Any], now: datetime) -> None:
    """Remove expired leases from rows, so that the next rescue does not find them again."""
    rows.filter(lease_expires_at__lt=now).update(**RELEASED)


def retry_delay(attempts: int) -> timedelta:
    """Return the delay before the next attempt: longer after each, and zero when no other attempt follows."""
    return timedelta(seconds=settings.RETRY_AFTER_SECONDS * attempts) if attempts < settings.MAX_ATTEMPTS else timedelta()


def requeued(attempts: int) -> dict[str, Any]:
    """Return the update that ends the lease on a row and lets it rest before the next attempt."""
    return {"lease_token": None, "lease_expires_at": timezone.now() + retry_delay(attempts)}


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
            acquired = list(rows.filter(unleased()).select_for_update(skip_locked=True, of=("self",))[:limit])
            changes = {"lease_token": token, "lease_expires_at": _new_expiry(), **changes}
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
        if not self.rows.update(lease_expires_at=_new_expiry(), **changes):
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

    def release(self, **changes: Any) -> None:
        """End the lease on the rows that it still holds, and apply the changes to them."""
        self.rows.update(**{**RELEASED, **changes})


def _new_expiry() -> datetime:
    return timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)
