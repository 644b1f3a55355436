"""Decide whether an error is an outage of Heimdex's surroundings, and of which part. Pure.

Everything else is the fault of the input, which has errors of its own (MediaError, IngestError, PhotoRejected, ModelInputError), or ours.
"""

import errno

from django.db import Error, InterfaceError, OperationalError, models

from heimdex.errors import ModelUnavailable, SearchServerUnavailable
from heimdex.storage.base import FileReplacedError, StorageError


class OutageKind(models.TextChoices):
    """The parts of the surroundings that can be away."""

    STORAGE = "storage"
    MODEL = "model"
    DISK = "disk"
    DATABASE = "database"
    SEARCH = "search"


# A file system without space, quota or permission to write at all.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
# SQLSTATE classes and codes: no connection, insufficient resources, a server that stops or starts, and a standby that only reads.
_DATABASE_AWAY = ("08", "53", "57P0", "25006")
_DATABASE_FULL = "53100"


def find_outage(error: BaseException | None) -> OutageKind | None:
    """Return the part whose outage caused an error, directly or as its stated cause (`raise … from`); None for any other error."""
    while error is not None:
        if kind := _match(error):
            return kind
        error = error.__cause__
    return None


def _match(error: BaseException) -> OutageKind | None:
    if isinstance(error, Error):
        return _match_database(error)
    if isinstance(error, ModelUnavailable):
        return OutageKind.MODEL
    if isinstance(error, SearchServerUnavailable):
        return OutageKind.SEARCH
    if isinstance(error, OSError) and error.errno in _FULL:
        return OutageKind.DISK
    # A file that was replaced during its copy is the client's doing.
    if isinstance(error, StorageError) and not isinstance(error, FileReplacedError):
        return OutageKind.STORAGE
    return None


def _match_database(error: Error) -> OutageKind | None:
    if not isinstance(error, OperationalError | InterfaceError):
        return None
    # Without a code, the connection is lost, or there never was one.
    state = getattr(error.__cause__, "sqlstate", None) or "08"
    if state == _DATABASE_FULL:
        return OutageKind.DISK
    # Others, such as a deadlock or a statement that took too long, happen while the database works.
    return OutageKind.DATABASE if state.startswith(_DATABASE_AWAY) else None
