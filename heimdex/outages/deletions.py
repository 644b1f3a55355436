"""Delete files whose rows are gone, later if the storage is away."""

from collections.abc import Callable
from functools import partial

import structlog
from django.db import transaction

from heimdex.outages.classify import OutageKind, find_outage
from heimdex.outages.models import Outage, PostponedDeletion
from heimdex.outages.record import begin_outage, has_outage
from heimdex.storage import get_media_storage

log = structlog.get_logger(__name__)

_BATCH = 100


def delete_file(key: str) -> None:
    """Delete a file when the current transaction commits, or as soon as the storage works again."""
    transaction.on_commit(partial(_delete_or_postpone, key, is_prefix=False))


def delete_files(prefix: str) -> None:
    """Delete all files under a prefix when the current transaction commits, or as soon as the storage works again."""
    transaction.on_commit(partial(_delete_or_postpone, prefix, is_prefix=True))


def delete_files_now(prefix: str) -> None:
    """Delete all files under a prefix at once, or as soon as the storage works again. Call it outside transactions."""
    _delete_or_postpone(prefix, is_prefix=True)


def delete_postponed() -> int:
    """Delete files whose deletion was postponed, unless the storage is still away. Return how many deletions succeeded."""
    if Outage.objects.filter(kind=OutageKind.STORAGE).exists():
        return 0
    done = 0
    for postponed in PostponedDeletion.objects.all()[:_BATCH]:
        try:
            _choose_deletion(postponed.is_prefix)(postponed.key)
        except Exception as error:
            if (kind := find_outage(error)) is None:
                raise
            begin_outage(kind, str(error))
            break
        postponed.delete()
        done += 1
    return done


def _delete_or_postpone(key: str, *, is_prefix: bool) -> None:
    if has_outage(OutageKind.STORAGE):
        # A storage that hangs would keep a request or the rescue waiting.
        _postpone(key, is_prefix=is_prefix)
        return
    try:
        _choose_deletion(is_prefix)(key)
    except Exception as error:
        kind = find_outage(error)
        if kind is None:
            raise
        _postpone(key, is_prefix=is_prefix)
        begin_outage(kind, str(error))


def _postpone(key: str, *, is_prefix: bool) -> None:
    PostponedDeletion.objects.get_or_create(key=key, defaults={"is_prefix": is_prefix})
    log.info("Files are deleted when the storage works again", key=key)


def _choose_deletion(is_prefix: bool) -> Callable[[str], None]:
    storage = get_media_storage()
    return storage.delete_prefix if is_prefix else storage.delete
