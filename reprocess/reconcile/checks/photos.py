"""Photos that people are known by, and whose files are gone."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import groupby, islice
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from heimdex.media.errors import MediaError
from heimdex.media.photos import clean_photo
from heimdex.storage import media_storage
from people.file_names import parse_photo_key
from people.models import PersonPhoto
from reprocess.reconcile.base import Check, Finding, Kind

PHOTOS = Kind(
    "missing_photos",
    "photos of people have lost their picture",
    "",
    "Bring the file back from a backup, or remove the photo and upload it again.",
)
THUMBNAILS = Kind(
    "missing_photo_thumbnails",
    "photos of people have lost the small picture that lists show",
    "makes it anew from the photo",
    "The photo itself cannot be read any more: bring both files back from a backup, or remove the photo and upload it again.",
)
_AT_ONCE = 100


@dataclass(frozen=True)
class Incomplete:
    """A photo beside whose row the listing showed no picture, or a picture and no thumbnail."""

    photo: PersonPhoto
    has_picture: bool


class Photos(Check):
    """One pass over the READY photos beside one listing for each owner who has any; a statement more for each 100 that lack a file."""

    order = 55
    kinds = (PHOTOS, THUMBNAILS)

    def find(self, owner_id: UUID | None) -> Iterator[Finding]:
        began = timezone.now()
        photos = _settled(began)
        if owner_id:
            photos = photos.filter(owner_id=owner_id)
        # A photo's files stay under the person whom it was announced for; the listing has them in the same order.
        ordered = photos.annotate(files_of=Coalesce("filed_under", F("person_id"))).order_by("owner_id", "files_of", "pk")
        for owner, own in groupby(ordered.iterator(chunk_size=500), key=lambda photo: photo.owner_id):
            incomplete = _incomplete(own, owner)
            while batch := list(islice(incomplete, _AT_ONCE)):
                yield from _still(batch, began)


def _settled(began: datetime) -> QuerySet[PersonPhoto]:
    """Return the photos that are looked at: what changed since the pass began is looked at by the next one."""
    return PersonPhoto.objects.filter(state=PersonPhoto.State.READY, updated_at__lt=began)


def _incomplete(photos: Iterable[PersonPhoto], owner_id: UUID) -> Iterator[Incomplete]:
    """Walk an owner's photos and files side by side."""
    groups = _listed(owner_id)
    group = next(groups, None)
    for photo in photos:
        place = (photo.filed_under or photo.person_id, photo.pk)
        while group and group[0] < place:
            group = next(groups, None)
        keys = group[1] if group and group[0] == place else frozenset()
        if not {photo.picture_key, photo.thumbnail_key} <= keys:
            yield Incomplete(photo, photo.picture_key in keys)


def _listed(owner_id: UUID) -> Iterator[tuple[tuple[UUID, UUID], frozenset[str]]]:
    """Yield the keys of each photo by the ids of person and photo, in the order of these."""
    named = ((parse_photo_key(key), key) for key in media_storage().keys(f"owners/{owner_id}/persons"))
    known = ((name, key) for name, key in named if name)
    for place, files in groupby(known, key=lambda file: (file[0].person_id, file[0].photo_id)):
        yield place, frozenset(key for _, key in files)


def _still(batch: Iterable[Incomplete], began: datetime) -> Iterator[Finding]:
    """Yield what lacks files of those photos that are still there: whoever removes one deletes its row first."""
    found = {one.photo.pk: one for one in batch}
    for photo in _settled(began).filter(pk__in=found).select_related("person").order_by("pk"):
        if found[photo.pk].has_picture:
            yield Finding(THUMBNAILS, 1, f"“{photo.person.name}”: {photo.thumbnail_key}", partial(_make_anew, photo.pk, began))
        else:
            yield Finding(PHOTOS, 1, f"“{photo.person.name}”: {photo.picture_key}")


def _make_anew(photo_id: UUID, began: datetime) -> int:
    """Make a photo's thumbnail of its picture, under the lock of its row, so that no removal leaves it behind."""
    with transaction.atomic():
        photo = _settled(began).select_for_update(of=("self",)).filter(pk=photo_id).first()
        if photo is None:
            return 0
        try:
            with media_storage().local_path(photo.picture_key) as path:
                thumbnail = clean_photo(path).thumbnail
        except (FileNotFoundError, MediaError):
            return 0
        media_storage().save(photo.thumbnail_key, thumbnail, "image/jpeg")
    return 1


CHECK = Photos()
