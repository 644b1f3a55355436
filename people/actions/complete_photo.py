"""Finish the upload of a photo: take the bytes that arrived and have them looked at."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from heimdex.accounts.models import User
from heimdex.storage import media_storage
from people.models import PersonPhoto
from people.photos.schedule import wake
from videos.actions.complete_upload import NOTHING_ARRIVED, WRONG_SIZE
from videos.actions.errors import WrongState


def complete_photo(owner: User, person_id: UUID, photo_id: UUID) -> PersonPhoto:
    """Move the arrived file out of the client's reach and wake a worker; a repeated call answers the same and does nothing.

    PersonPhoto.DoesNotExist for another owner's ids; WrongState when no file, or one of another size, has arrived.
    """
    with transaction.atomic():
        photo = PersonPhoto.objects.select_for_update(of=("self",)).get(pk=photo_id, person=person_id, owner=owner)
        if photo.state != PersonPhoto.State.UPLOADING:
            return photo
        storage = media_storage()
        arrived = storage.size(photo.upload_key)
        if arrived is None and storage.size(photo.original_key) is None:
            raise WrongState(NOTHING_ARRIVED)
        if arrived is not None:
            if arrived != photo.size_bytes:
                raise WrongState(WRONG_SIZE.format(arrived=arrived, announced=photo.size_bytes))
            # From here on no upload address reaches the file, so what is judged is what is kept.
            storage.move(photo.upload_key, photo.original_key)
        queue(photo)
    return photo


def queue(photo: PersonPhoto) -> None:
    """Have a photo, whose row is locked, looked at from the beginning."""
    photo.state = PersonPhoto.State.UPLOADED
    photo.error_code = photo.error_text = ""
    photo.attempts = 0
    photo.updated_at = photo.woken_at = timezone.now()
    photo.save(update_fields=["state", "error_code", "error_text", "attempts", "updated_at", "woken_at"])
    wake(photo.owner_id)
