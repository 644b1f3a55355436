"""The files of photos, as they come by in a listing, beside the photos' rows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

from django.db import transaction

from heimdex.storage import StoredFile, media_storage
from people.file_names import PhotoFileName, is_left_over, parse_photo_key
from people.models import Person, PersonPhoto

_AT_ONCE = 1000


@dataclass(frozen=True)
class Unwanted:
    """Files of one photo that no row accounts for, or (`misplaced`) that lie where its row does not look."""

    photo_id: UUID
    keys: tuple[str, ...]
    misplaced: bool

    def delete(self) -> int:
        """Delete what is still unwanted, and return how much; nothing when no person has a row: this may be the wrong database."""
        with transaction.atomic():
            photo = PersonPhoto.objects.select_for_update(of=("self",)).filter(pk=self.photo_id).first()
            if photo is None and not Person.objects.exists():
                return 0
            keys = [key for key in self.keys if photo is None or is_left_over(photo, key.rpartition("/")[2])]
            for key in keys:
                media_storage().delete(key)
        return len(keys)


class PhotoFiles:
    """Gathers files, some at a time, and looks what is wrong with them; never holds more than some and what is wrong."""

    def __init__(self, stored_before: datetime, on_unknown: Callable[[StoredFile], None]) -> None:
        self._stored_before = stored_before
        self._on_unknown = on_unknown
        self._held: list[tuple[PhotoFileName, StoredFile]] = []
        self._unwanted: list[Unwanted] = []

    def add(self, file: StoredFile) -> None:
        """Take a file of the listing; those that are no photo's go to `on_unknown`."""
        name = parse_photo_key(file.key)
        if name is None:
            self._on_unknown(file)
            return
        if len(self._held) >= _AT_ONCE and self._held[-1][0].photo_id != name.photo_id:
            self.look()
        self._held.append((name, file))

    def look(self) -> None:
        """Compare what is held with the rows."""
        rows = {photo.pk: photo for photo in PersonPhoto.objects.filter(pk__in={name.photo_id for name, _ in self._held})}
        for prefix, group in groupby(self._held, key=lambda held: held[0].storage_prefix):
            self._unwanted.extend(self._of_photo(prefix, list(group), rows))
        self._held = []

    def take(self) -> Iterator[Unwanted]:
        """Yield what was found unwanted since this was asked last."""
        found, self._unwanted = self._unwanted, []
        yield from found

    def _of_photo(self, prefix: str, files: list[tuple[PhotoFileName, StoredFile]], rows: dict[UUID, PersonPhoto]) -> Iterator[Unwanted]:
        photo_id = files[0][0].photo_id
        photo = rows.get(photo_id)
        old = [(name, file) for name, file in files if file.stored_at < self._stored_before]
        if photo is None:
            # One that is young may be an upload whose row this pass has not seen.
            unwanted = old if len(old) == len(files) else []
        elif photo.storage_prefix != prefix:
            unwanted = files
        else:
            unwanted = [(name, file) for name, file in old if is_left_over(photo, name.name)]
        if unwanted:
            keys = tuple(file.key for _, file in unwanted)
            yield Unwanted(photo_id, keys, misplaced=photo is not None and photo.storage_prefix != prefix)
