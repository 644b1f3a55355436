"""Leases: an expiring right to work on rows. Every write checks the lease's token, which fences off workers that lost it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, TypeVar
from uuid import UUID, uuid4

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

M = TypeVar("M", bound=models.Model)

# The update that ends the lease on rows.
RELEASED: dict[str, None] = {"lease_token": None, "lease_expires_at": None}


class LeaseLost(Exception):
    """The lease is gone: another worker has acquired the row, or the row was deleted. Stop, and write nothing."""


def new_expiry() -> datetime:
    """Return the time at which a lease that is acquired or renewed now expires."""
    return timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)


def unleased() -> Q:
    """Match rows without a lease or with an expired one."""
    return Q(lease_expires_at__isnull=True) | Q(lease_expires_at__lt=timezone.now())


def clear_expired(rows: models.QuerySet[Any], now: datetime) -> None:
    """Remove expired leases from rows, so that the next rescue does not find them again."""
    rows.filter(lease_expires_at__lt=now).update(**RELEASED)


def acquire(rows: models.QuerySet[M], limit: int, **changes: Any) -> tuple[UUID, list[M]]:
    """Acquire a lease on up to `limit` unleased rows of a query, count an attempt in each, and apply the changes.

    Rows that another worker is acquiring are skipped. Call it within a transaction. Return the token and the rows.
    """
    token = uuid4()
    acquired = list(rows.filter(unleased()).select_for_update(skip_locked=True, of=("self",))[:limit])
    changes = {"lease_token": token, "lease_expires_at": new_expiry(), **changes}
    rows.model._default_manager.filter(pk__in=[row.pk for row in acquired]).update(attempts=F("attempts") + 1, **changes)
    for row in acquired:
        for field, value in {"attempts": row.attempts + 1, **changes}.items():  # type: ignore[attr-defined]
            setattr(row, field, value)
    return token, acquired


def renew(model: type[models.Model], token: UUID, **changes: Any) -> None:
    """Extend the lease on the token's rows and apply the changes. Raise LeaseLost when the token has no rows."""
    if not model._default_manager.filter(lease_token=token).update(lease_expires_at=new_expiry(), **changes):
        raise LeaseLost


def lock_leased(model: type[models.Model], token: UUID) -> None:
    """Lock the token's rows until the transaction ends. Raise LeaseLost when the token has no rows."""
    if not list(model._default_manager.select_for_update().filter(lease_token=token).values_list("pk", flat=True)):
        raise LeaseLost


class Lease:
    """The lease of one worker on rows of a model, under one token, as it was acquired a moment ago."""

    def __init__(self, model: type[models.Model], token: UUID) -> None:
        self._model = model
        self._token = token
        self._renewed_at = monotonic()

    def renew_if_due(self, **changes: Any) -> None:
        """Renew the lease and apply the changes once a tenth of its time has passed. Raise LeaseLost when it is gone."""
        if monotonic() - self._renewed_at >= settings.LEASE_SECONDS / 10:
            renew(self._model, self._token, **changes)
            self._renewed_at = monotonic()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Open a transaction that commits only while the lease is held. Raise LeaseLost otherwise."""
        with transaction.atomic():
            lock_leased(self._model, self._token)
            yield
