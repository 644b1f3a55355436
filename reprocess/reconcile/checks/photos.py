"""People's photos whose image or thumbnail is missing from the storage."""

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
from heimdex.storage import get_media_storage
from people.models import PersonPhoto
from people.storage_keys import parse_photo_key
from reprocess.reconcile.base import Check, Finding, IssueType

IMAGES = IssueType(
    "missing_photos",
    "photos of people have no image",
    "",
    "Restore the file from a backup, or remove the photo and upload it again.",
)
THUMBNAILS = IssueType(
    "missing_photo_thumbnails",
    "photos of people have no thumbnail",
    "rebuilds it from the photo",
    "The image of the photo cannot be read. Restore both files from a backup, or remove the photo and upload it again.",
)
_BATCH = 100


@dataclass(frozen=True)
class IncompletePhoto:
    """A photo without an image in the listing, or with an image but without a thumbnail."""

    photo: PersonPhoto
    has_image: bool


class Photos(Check):
    """One pass over the READY photos, one listing per owner with photos, and one SQL statement per 100 incomplete photos."""

    order = 55
    issue_types = (IMAGES, THUMBNAILS)

    def find(self, owner_id: UUID | None) -> Iterator[Finding]:
        began = timezone.now()
        photos = _select_checkable(began)
        if owner_id:
            photos = photos.filter(owner_id=owner_id)
        # A photo's files stay under the person for whom it was uploaded. The listing has the same order.
        ordered = photos.annotate(files_of=Coalesce("filed_under", F("person_id"))).order_by("owner_id", "files_of", "pk")
        for owner, owner_photos in groupby(ordered.iterator(chunk_size=500), key=lambda photo: photo.owner_id):
            incomplete = _find_incomplete(owner_photos, owner)
            while batch := list(islice(incomplete, _BATCH)):
                yield from _confirm(batch, began)


def _select_checkable(began: datetime) -> QuerySet[PersonPhoto]:
    """Return the READY photos that have not changed since the pass began. The next pass checks the others."""
    return PersonPhoto.objects.filter(state=PersonPhoto.State.READY, updated_at__lt=began)


def _find_incomplete(photos: Iterable[PersonPhoto], owner_id: UUID) -> Iterator[IncompletePhoto]:
    """Compare an owner's photos with the listing of the owner's files, both in the same order."""
    groups = _list_keys(owner_id)
    group = next(groups, None)
    for photo in photos:
        place = (photo.filed_under or photo.person_id, photo.pk)
        while group and group[0] < place:
            group = next(groups, None)
        keys = group[1] if group and group[0] == place else frozenset()
        if not {photo.image_key, photo.thumbnail_key} <= keys:
            yield IncompletePhoto(photo, photo.image_key in keys)


def _list_keys(owner_id: UUID) -> Iterator[tuple[tuple[UUID, UUID], frozenset[str]]]:
    """Yield the keys of each photo by the ids of person and photo, in ascending order."""
    parsed = ((parse_photo_key(key), key) for key in get_media_storage().list_keys(f"owners/{owner_id}/persons"))
    photo_keys = ((parts, key) for parts, key in parsed if parts)
    for place, files in groupby(photo_keys, key=lambda file: (file[0].person_id, file[0].photo_id)):
        yield place, frozenset(key for _, key in files)


def _confirm(batch: Iterable[IncompletePhoto], began: datetime) -> Iterator[Finding]:
    """Yield a finding for each incomplete photo whose row still exists, because a deletion removes the row before the files."""
    incomplete = {item.photo.pk: item for item in batch}
    for photo in _select_checkable(began).filter(pk__in=incomplete).select_related("person").order_by("pk"):
        if incomplete[photo.pk].has_image:
            yield Finding(THUMBNAILS, 1, f"“{photo.person.name}”: {photo.thumbnail_key}", partial(_rebuild_thumbnail, photo.pk, began))
        else:
            yield Finding(IMAGES, 1, f"“{photo.person.name}”: {photo.image_key}")


def _rebuild_thumbnail(photo_id: UUID, began: datetime) -> int:
    """Rebuild a photo's thumbnail from its image. The row is locked, so that a deletion also removes the file."""
    with transaction.atomic():
        photo = _select_checkable(began).select_for_update(of=("self",)).filter(pk=photo_id).first()
        if photo is None:
            return 0
        try:
            with get_media_storage().open_local_path(photo.image_key) as path:
                thumbnail = clean_photo(path).thumbnail
        except (FileNotFoundError, MediaError):
            return 0
        get_media_storage().save(photo.thumbnail_key, thumbnail, "image/jpeg")
    return 1


CHECK = Photos()
