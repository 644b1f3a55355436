"""End a photo as failed."""

from functools import partial
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from heimdex.leases import LET_GO
from heimdex.storage import media_storage
from people.models import PersonPhoto
from people.photos.errors import HOPELESS, PhotoErrorCode
from people.query_hashes import refresh_query_hash


def fail(photo_id: UUID, code: PhotoErrorCode, text: str) -> None:
    """Record why a photo failed and let go of it; call it in a transaction that holds the photo's row.

    A file that no other try can make anything of is deleted, because it may say where it was taken.
    """
    photo = PersonPhoto.objects.get(pk=photo_id)
    photo.state = PersonPhoto.State.FAILED
    photo.error_code, photo.error_text = code, text
    photo.updated_at = timezone.now()
    photo.lease_token = photo.lease_expires_at = None
    photo.save(update_fields=["state", "error_code", "error_text", "updated_at", *LET_GO])
    refresh_query_hash([photo.person_id])
    if code in HOPELESS:
        transaction.on_commit(partial(media_storage().delete, photo.original_key))
