"""Change the state of photos: queue, fail and rescue them."""

from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from heimdex.leases import RELEASED, requeue_lost, wake_stuck
from heimdex.outages.deletions import delete_file
from heimdex.outages.models import NOT_WAITING, filter_resumable
from heimdex.redaction import hide_addresses
from heimdex.uploads.flow import end_expired_uploads
from people.errors import NOT_RETRYABLE, PhotoErrorCode
from people.input_hashes import refresh_person_inputs
from people.models import PersonPhoto
from people.refresh import request_refresh

GAVE_UP = (
    "Processing this photo stopped unexpectedly {attempts} times. The file may be damaged, or the server may be low on memory. "
    "You can retry."
)


def queue_photo(photo: PersonPhoto) -> None:
    """Queue a photo for processing from the start. Call it in a transaction that has locked the photo's row."""
    photo.state = PersonPhoto.State.UPLOADED
    photo.error_code = photo.error_text = ""
    photo.attempts = 0
    photo.updated_at = photo.woken_at = timezone.now()
    for field, value in NOT_WAITING.items():
        setattr(photo, field, value)
    photo.save(update_fields=["state", "error_code", "error_text", "attempts", "updated_at", "woken_at", *NOT_WAITING])
    request_refresh(photo.owner_id)


def fail_photo(photo_id: UUID, code: PhotoErrorCode, text: str) -> None:
    """Record why a photo failed and release its lease. Call it in a transaction that has locked the photo's row.

    The uploaded file is deleted when a retry cannot succeed, because it may contain the location where it was taken.
    """
    photo = PersonPhoto.objects.get(pk=photo_id)
    photo.state = PersonPhoto.State.FAILED
    photo.error_code, photo.error_text = code, hide_addresses(text)
    photo.updated_at = timezone.now()
    photo.lease_token = photo.lease_expires_at = None
    photo.save(update_fields=["state", "error_code", "error_text", "updated_at", *RELEASED])
    refresh_person_inputs([photo.person_id])
    if code in NOT_RETRYABLE:
        delete_file(photo.original_key)


def rescue_photos() -> int:
    """Requeue every photo whose worker died or whose task was lost, and delete expired uploads. Return how many photos and uploads.

    A photo that has used all its attempts fails instead.
    """
    now = timezone.now()
    photos = PersonPhoto.objects.filter(state__in=PersonPhoto.IN_PROGRESS)
    requeue_lost(photos.filter(state=PersonPhoto.State.PROCESSING), on_last_attempt=_give_up, state=PersonPhoto.State.UPLOADED)
    owners: set[UUID] = set()
    waiting = photos.filter(state=PersonPhoto.State.UPLOADED, waits_for="")
    with transaction.atomic():
        count = _resume(photos, owners, now)
        count += wake_stuck(waiting, photos, "pk", partial(_mark_woken, owners=owners), now)
        for owner_id in sorted(owners):
            request_refresh(owner_id)
    return count + end_expired_uploads(PersonPhoto.objects.filter(state=PersonPhoto.State.UPLOADING), PersonPhoto.delete)


def _resume(photos: QuerySet[PersonPhoto], owners: set[UUID], now: datetime) -> int:
    """Let the photos continue whose outage is over, and collect their owners. Return how many photos."""
    resumed = list(filter_resumable(photos, now).select_for_update(skip_locked=True, of=("self",)))
    PersonPhoto.objects.filter(pk__in=[photo.pk for photo in resumed]).update(waits_for="", waits_until=None)
    for photo in resumed:
        _mark_woken(photo, owners)
    return len(resumed)


def _give_up(photo: PersonPhoto) -> None:
    fail_photo(photo.pk, PhotoErrorCode.GAVE_UP, GAVE_UP.format(attempts=photo.attempts))


def _mark_woken(photo: PersonPhoto, owners: set[UUID]) -> None:
    """Record that the photo's task is queued, and collect its owner, because one refresh covers all photos of an owner."""
    PersonPhoto.objects.filter(pk=photo.pk).update(woken_at=timezone.now())
    owners.add(photo.owner_id)
