"""Whether an upload still accepts bytes: its row exists, waits for them, and belongs to an active user.

A signed URL alone says only what was allowed when it was made. Apps register how a storage key leads to their rows.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from django.db import models, transaction

UPLOADING = "uploading"
COMPLETED = "This upload was completed or has ended, so its URL accepts no more bytes. Start a new upload."
NO_ACCESS = "This upload was removed, or its account is not active, so its URL no longer works. Log in, then start a new upload."

# The rows whose upload has the key (none, or a single one), or None when the key is not of this type.
UploadFinder = Callable[[str], "models.QuerySet[Any] | None"]
_finders: list[UploadFinder] = []


class UploadEnded(Exception):
    """An upload accepts no more bytes; the message is for the client."""


class UploadForbidden(Exception):
    """The user of an upload has no access any more; the message is for the client."""


def register_uploads(find: UploadFinder) -> None:
    """Check uploads of another type. Keys of no registered type are the server's own: for them, the signature is enough."""
    _finders.append(find)


def check_is_open(key: str) -> None:
    """Raise UploadEnded or UploadForbidden when the upload with this key accepts no bytes."""
    for rows in _find_rows(key):
        _check(rows.select_related("owner").first())


@contextmanager
def hold_open(key: str) -> Iterator[None]:
    """Check again, and let no other process complete or delete the upload during the block."""
    selected = _find_rows(key)
    with transaction.atomic() if selected else nullcontext():
        for rows in selected:
            _check(rows.select_related("owner").select_for_update(of=("self",)).first())
        yield


def _find_rows(key: str) -> "list[models.QuerySet[Any]]":
    return [rows for find in _finders if (rows := find(key)) is not None]


def _check(row: Any) -> None:
    if row is None or not row.owner.is_active:
        raise UploadForbidden(NO_ACCESS)
    if row.state != UPLOADING:
        raise UploadEnded(COMPLETED)
