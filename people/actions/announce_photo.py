"""Announce a photo: create its row and say where its bytes go."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from heimdex.accounts.models import User
from heimdex.storage import UploadTarget, media_storage
from heimdex.storage.base import safe_filename
from people.models import Person, PersonPhoto
from people.switch import why_no_faces
from videos.actions.errors import Refused, WrongState

TYPES = ("image/jpeg", "image/png", "image/webp", "image/heic", "image/heif")
# A file of some megabytes is sent within this time, or not at all; its place is free again afterwards.
_LONGEST_UPLOAD = timedelta(hours=1)
ARCHIVED = "{name} is archived. Bring the person back before you add photos."


@dataclass(frozen=True)
class PhotoAnnouncement:
    """What a client says of the photo that it is about to send (size in bytes)."""

    filename: str
    mime_type: str
    size_bytes: int


def announce_photo(owner: User, person_id: UUID, announced: PhotoAnnouncement) -> tuple[PersonPhoto, UploadTarget]:
    """Create a photo in state `uploading` and the address to PUT its bytes to.

    Person.DoesNotExist for another owner's id; Refused for a size or type that is not taken; WrongState when the person has as many
    photos as are allowed, or is archived, or where no faces are looked for.
    """
    check_announcement(announced, settings.MAX_PHOTO_BYTES)
    if refusal := why_no_faces(owner):
        raise WrongState(refusal)
    lifetime = min(timedelta(seconds=settings.UPLOAD_TTL_SECONDS), _LONGEST_UPLOAD)
    with transaction.atomic():
        # Locked, so that two announcements at once cannot both be the last that is allowed.
        person = Person.objects.select_for_update(no_key=True).get(pk=person_id, owner=owner)
        if person.is_archived:
            raise WrongState(ARCHIVED.format(name=person.name))
        if person.photos.count() >= settings.MAX_PHOTOS:
            raise WrongState(f"{person.name} has {settings.MAX_PHOTOS} photos, and more are not taken. Remove one first.")
        photo = PersonPhoto.objects.create(
            person=person,
            owner=owner,
            filename=announced.filename,
            mime_type=announced.mime_type,
            size_bytes=announced.size_bytes,
            upload_expires_at=timezone.now() + lifetime,
        )
    target = media_storage().upload_target(
        photo.upload_key, size=photo.size_bytes, content_type=photo.mime_type, expires_in_s=int(lifetime.total_seconds())
    )
    return photo, target


def check_announcement(announced: PhotoAnnouncement, max_bytes: int) -> None:
    """Raise Refused when the announced size or type is not taken. Pure."""
    name = safe_filename(announced.filename)
    if announced.size_bytes <= 0:
        raise Refused("The file is empty; choose one with content.", "size_bytes")
    if announced.size_bytes > max_bytes:
        raise Refused(f"{name} is larger than the limit of {max_bytes} bytes. Scale the picture down.", "size_bytes")
    if announced.mime_type not in TYPES:
        raise Refused(f"{name} is no JPEG, PNG, WebP or HEIC ({announced.mime_type}). Export it as JPEG and upload that.", "mime_type")
