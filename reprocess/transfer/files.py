"""Copy the files of a library below the prefix of another owner, and delete those that a transfer has left behind."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby, islice
from uuid import UUID

from heimdex.storage import StoredFile, get_media_storage
from people.models import PersonPhoto
from people.storage_keys import parse_photo_key
from reprocess.transfer.rows import IS_COMPLETE
from videos.models import Video
from videos.storage_keys import get_owner_prefix, parse_key

_THREADS = 8
_BATCH = 500


def copy_files(source_id: UUID, target_id: UUID) -> int:
    """Copy the files of the source's videos and photos that the target has not, or only an older version of. Return how many."""
    copied = 0
    with ThreadPoolExecutor(_THREADS) as threads:
        for prefix in _iterate_prefixes(source_id):
            pairs = _find_missing(prefix, _rebase(prefix, source_id, target_id))
            copied += sum(1 for _ in threads.map(_copy, pairs))
    return copied


def delete_left_files(source_id: UUID, target_id: UUID) -> int:
    """Delete the files below the source's prefix whose video or photo belongs to the target. Return the number of prefixes.

    It also ends a transfer that was interrupted after its rows had changed.
    """
    deleted = 0
    prefixes = _iterate_stored_prefixes(source_id)
    while batch := list(islice(prefixes, _BATCH)):
        ids = [row_id for row_id, _ in batch]
        moved = {
            row_id
            for model in (Video, PersonPhoto)
            for row_id in model._default_manager.filter(pk__in=ids, owner=target_id).values_list("pk", flat=True)
        }
        for row_id, prefix in batch:
            if row_id in moved:
                get_media_storage().delete_prefix(prefix)
                deleted += 1
    return deleted


def _iterate_prefixes(owner_id: UUID) -> Iterator[str]:
    for video in Video.objects.filter(IS_COMPLETE, owner=owner_id).only("id", "owner_id").iterator(chunk_size=500):
        yield video.storage_prefix
    photos = PersonPhoto.objects.filter(owner=owner_id).exclude(state=PersonPhoto.State.UPLOADING)
    for photo in photos.only("id", "owner_id", "person_id", "filed_under").iterator(chunk_size=500):
        yield photo.storage_prefix


def _iterate_stored_prefixes(owner_id: UUID) -> Iterator[tuple[UUID, str]]:
    for prefix, _ in groupby(get_media_storage().list_keys(get_owner_prefix(owner_id)), key=_get_row_prefix):
        if prefix:
            yield UUID(prefix.rpartition("/")[2]), prefix


def _get_row_prefix(key: str) -> str:
    """Return the prefix of the key's video or photo, or an empty string for another key."""
    if video := parse_key(key):
        return f"{get_owner_prefix(video.owner_id)}/videos/{video.video_id}"
    photo = parse_photo_key(key)
    return photo.storage_prefix if photo else ""


def _rebase(prefix: str, source_id: UUID, target_id: UUID) -> str:
    return get_owner_prefix(target_id) + prefix.removeprefix(get_owner_prefix(source_id))


def _find_missing(old_prefix: str, new_prefix: str) -> list[tuple[str, str]]:
    existing = {file.key: file for file in get_media_storage().list_files(new_prefix)}
    pairs = []
    for file in get_media_storage().list_files(old_prefix):
        key = new_prefix + file.key.removeprefix(old_prefix)
        if not _is_copy(file, existing.get(key)):
            pairs.append((file.key, key))
    return pairs


def _is_copy(file: StoredFile, copy: StoredFile | None) -> bool:
    return copy is not None and copy.size == file.size and copy.stored_at >= file.stored_at


def _copy(pair: tuple[str, str]) -> None:
    get_media_storage().copy(*pair)
