"""Queue photos again whose worker died or whose task was lost, and delete uploads that were never completed."""

from functools import partial
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from heimdex.rescue import requeue_lost, wake_stuck
from heimdex.uploads.flow import end_expired_uploads
from people.errors import PhotoErrorCode
from people.models import PersonPhoto
from people.photos.state import GAVE_UP, fail_photo
from people.refresh import request_refresh


def rescue_photos() -> int:
    """Queue every photo again whose worker died or whose task was lost, and delete expired uploads. Return how many of both.

    A photo that has used all its attempts fails instead.
    """
    now = timezone.now()
    photos = PersonPhoto.objects.filter(state__in=PersonPhoto.IN_PROGRESS)
    requeue_lost(photos.filter(state=PersonPhoto.State.PROCESSING), on_last_attempt=_give_up, state=PersonPhoto.State.UPLOADED)
    owners: set[UUID] = set()
    waiting = photos.filter(state=PersonPhoto.State.UPLOADED)
    with transaction.atomic():
        count = wake_stuck(waiting, photos, "pk", partial(_mark_woken, owners=owners), now)
        for owner_id in sorted(owners):
            request_refresh(owner_id)
    return count + end_expired_uploads(PersonPhoto.objects.filter(state=PersonPhoto.State.UPLOADING), PersonPhoto.delete)


def _give_up(photo: PersonPhoto) -> None:
    fail_photo(photo.pk, PhotoErrorCode.GAVE_UP, GAVE_UP.format(attempts=photo.attempts))


def _mark_woken(photo: PersonPhoto, owners: set[UUID]) -> None:
    """Note that the photo's task is queued, and collect its owner, because one refresh serves all photos of an owner."""
    PersonPhoto.objects.filter(pk=photo.pk).update(woken_at=timezone.now())
    owners.add(photo.owner_id)
