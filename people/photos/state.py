"""Change the state of a photo."""

from functools import partial
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from heimdex.leases import RELEASED
from heimdex.storage import media_storage
from people.errors import NOT_RETRYABLE, PhotoErrorCode
from people.input_hashes import refresh_person_inputs
from people.models import PersonPhoto
from people.refresh import request_refresh

GAVE_UP = (
    "Processing this photo stopped unexpectedly {attempts} times. The file may be damaged in an unusual way, or the server may be short "
    "of memory. You can retry."
)


def queue_photo(photo: PersonPhoto) -> None:
    """Queue a photo for processing from the start. Call it in a transaction that has locked the photo's row."""
    photo.state = PersonPhoto.State.UPLOADED
    photo.error_code = photo.error_text = ""
    photo.attempts = 0
    photo.updated_at = photo.woken_at = timezone.now()
    photo.save(update_fields=["state", "error_code", "error_text", "attempts", "updated_at", "woken_at"])
    request_refresh(photo.owner_id)


def fail_photo(photo_id: UUID, code: PhotoErrorCode, text: str) -> None:
    """Record why a photo failed and release its lease. Call it in a transaction that has locked the photo's row.

    The uploaded file is deleted when a retry cannot succeed, because it may contain the location where it was taken.
    """
    photo = PersonPhoto.objects.get(pk=photo_id)
    photo.state = PersonPhoto.State.FAILED
    photo.error_code, photo.error_text = code, text
    photo.updated_at = timezone.now()
    photo.lease_token = photo.lease_expires_at = None
    photo.save(update_fields=["state", "error_code", "error_text", "updated_at", *RELEASED])
    refresh_person_inputs([photo.person_id])
    if code in NOT_RETRYABLE:
        transaction.on_commit(partial(media_storage().delete, photo.original_key))
