"""Compare the files of photos in a listing with the photos' rows, in batches."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

from django.db import transaction

from heimdex.storage import StoredFile, get_media_storage
from people.models import Person, PersonPhoto
from people.storage_keys import PhotoFileKey, is_obsolete_file, parse_photo_key

_BATCH_FILES = 1000


@dataclass(frozen=True)
class UnwantedPhotoFiles:
    """Files of one photo without a row, or (`misplaced`) files under another owner or person than the row's."""

    photo_id: UUID
    keys: tuple[str, ...]
    misplaced: bool

    def delete(self) -> int:
        """Delete the files that are still unwanted and return how many.

        Delete nothing when no person has a row, because this may be the wrong database.
        """
        with transaction.atomic():
            photo = PersonPhoto.objects.select_for_update(of=("self",)).filter(pk=self.photo_id).first()
            if photo is None and not Person.objects.exists():
                return 0
            keys = [key for key in self.keys if photo is None or is_obsolete_file(photo, key.rpartition("/")[2])]
            for key in keys:
                get_media_storage().delete(key)
        return len(keys)


class PhotoFileScan:
    """Collect the files of photos from a listing, and compare them with the rows, about 1,000 files at a time."""

    def __init__(self, stored_before: datetime, on_unknown: Callable[[StoredFile], None]) -> None:
        self._stored_before = stored_before
        self._on_unknown = on_unknown
        self._batch: list[tuple[PhotoFileKey, StoredFile]] = []
        self._unwanted: list[UnwantedPhotoFiles] = []

    def add(self, file: StoredFile) -> None:
        """Add a file of the listing. Pass files that belong to no photo to `on_unknown`."""
        parts = parse_photo_key(file.key)
        if parts is None:
            self._on_unknown(file)
            return
        if len(self._batch) >= _BATCH_FILES and self._batch[-1][0].photo_id != parts.photo_id:
            self.flush()
        self._batch.append((parts, file))

    def flush(self) -> None:
        """Compare the collected files with the rows."""
        rows = {photo.pk: photo for photo in PersonPhoto.objects.filter(pk__in={parts.photo_id for parts, _ in self._batch})}
        for prefix, group in groupby(self._batch, key=lambda item: item[0].storage_prefix):
            self._unwanted.extend(self._find_unwanted(prefix, list(group), rows))
        self._batch = []

    def pop_unwanted(self) -> Iterator[UnwantedPhotoFiles]:
        """Yield the unwanted files found since the last call."""
        unwanted, self._unwanted = self._unwanted, []
        yield from unwanted

    def _find_unwanted(
        self, prefix: str, files: list[tuple[PhotoFileKey, StoredFile]], rows: dict[UUID, PersonPhoto]
    ) -> Iterator[UnwantedPhotoFiles]:
        photo_id = files[0][0].photo_id
        photo = rows.get(photo_id)
        old = [(parts, file) for parts, file in files if file.stored_at < self._stored_before]
        if photo is None:
            # A young file may be an upload whose row was created after this pass began.
            unwanted = old if len(old) == len(files) else []
        elif photo.storage_prefix != prefix:
            unwanted = files
        else:
            unwanted = [(parts, file) for parts, file in old if is_obsolete_file(photo, parts.name)]
        if unwanted:
            keys = tuple(file.key for _, file in unwanted)
            yield UnwantedPhotoFiles(photo_id, keys, misplaced=photo is not None and photo.storage_prefix != prefix)
