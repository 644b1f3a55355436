"""Leases: an expiring right to work on a row, with a fencing token that every write checks."""

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

# What an update of rows sets when nobody works on them any more.
LET_GO: dict[str, None] = {"lease_token": None, "lease_expires_at": None}


class LeaseLost(Exception):
    """Another worker holds the row now, or it is gone: stop, and write nothing."""


def expiry() -> datetime:
    """Return when a lease taken now ends."""
    return timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)


def free() -> Q:
    """Match rows that no living worker holds."""
    return Q(lease_expires_at__isnull=True) | Q(lease_expires_at__lt=timezone.now())


def forget_lapsed(rows: models.QuerySet[Any], now: datetime) -> None:
    """Take the rights to these rows from whoever no longer keeps them, so that they call for no other rescue."""
    rows.filter(lease_expires_at__lt=now).update(**LET_GO)


def claim(rows: models.QuerySet[M], limit: int, **changes: Any) -> tuple[UUID, list[M]]:
    """Take up to `limit` free rows of a query for this worker, skipping those that another is taking; count an attempt in each.

    Call it within a transaction. Returns the token that every later write must present, and the rows.
    """
    token = uuid4()
    taken = list(rows.filter(free()).select_for_update(skip_locked=True, of=("self",))[:limit])
    changes = {"lease_token": token, "lease_expires_at": expiry(), **changes}
    rows.model._default_manager.filter(pk__in=[row.pk for row in taken]).update(attempts=F("attempts") + 1, **changes)
    for row in taken:
        for field, value in {"attempts": row.attempts + 1, **changes}.items():  # type: ignore[attr-defined]
            setattr(row, field, value)
    return token, taken


def renew(model: type[models.Model], token: UUID, **changes: Any) -> None:
    """Extend the lease on every row that the token holds; LeaseLost when it holds none any more."""
    if not model._default_manager.filter(lease_token=token).update(lease_expires_at=expiry(), **changes):
        raise LeaseLost


def hold(model: type[models.Model], token: UUID) -> None:
    """Lock the token's rows until the transaction ends, so that what is written in it is written by the holder; LeaseLost otherwise."""
    if not list(model._default_manager.select_for_update().filter(lease_token=token).values_list("pk", flat=True)):
        raise LeaseLost


class HeldRows:
    """The rows of a model that a worker holds under one token, from the moment it claimed them."""

    def __init__(self, model: type[models.Model], token: UUID) -> None:
        self._model = model
        self._token = token
        self._renewed_at = monotonic()

    def keep(self, **changes: Any) -> None:
        """Renew the lease once a tenth of it has passed, with changes to the rows; LeaseLost when another worker has taken over."""
        if monotonic() - self._renewed_at >= settings.LEASE_SECONDS / 10:
            renew(self._model, self._token, **changes)
            self._renewed_at = monotonic()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Write in one transaction that only the lease's holder can commit; LeaseLost otherwise."""
        with transaction.atomic():
            hold(self._model, self._token)
            yield
