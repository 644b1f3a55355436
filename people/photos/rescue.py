"""Queue photos again whose worker died or whose task was lost, and delete uploads that were never completed."""

from datetime import datetime
from functools import partial

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from heimdex.leases import RELEASED, unleased
from heimdex.storage import media_storage
from people.errors import PhotoErrorCode
from people.models import PersonPhoto
from people.photos.state import GAVE_UP, fail_photo
from people.refresh import request_refresh
from videos.ingest.schedule import WAKE_AGAIN_AFTER, pause_after

log = structlog.get_logger(__name__)

_BATCH = 200


def rescue_photos() -> int:
    """Queue every photo again whose worker died or whose task was lost, and delete expired uploads. Return how many of both.

    A photo that has used all its attempts fails instead.
    """
    now = timezone.now()
    _release_lost_photos(now)
    task_lost = Q(lease_expires_at__isnull=True) & (Q(woken_at__isnull=True) | Q(woken_at__lt=now - WAKE_AGAIN_AFTER))
    with transaction.atomic():
        waiting = PersonPhoto.objects.filter(Q(lease_expires_at__lt=now) | task_lost, state=PersonPhoto.State.UPLOADED)
        stuck = list(waiting.select_for_update(skip_locked=True, of=("self",)).order_by("created_at")[:_BATCH])
        for photo in stuck:
            log.warning("Queued a stuck photo again", photo_id=str(photo.pk), attempts=photo.attempts)
        # The expired pause must not cause another rescue before the task has started.
        PersonPhoto.objects.filter(pk__in=[photo.pk for photo in stuck]).update(woken_at=now, **RELEASED)
        for owner_id in sorted({photo.owner_id for photo in stuck}):
            request_refresh(owner_id)
    return len(stuck) + _delete_expired_uploads(now)


def _release_lost_photos(now: datetime) -> None:
    """Return photos with an expired lease to the queue after a pause, or fail them after the last attempt."""
    with transaction.atomic():
        lost = PersonPhoto.objects.filter(unleased(), state=PersonPhoto.State.PROCESSING)
        for photo in lost.select_for_update(skip_locked=True, of=("self",))[:_BATCH]:
            log.warning("A photo has lost its worker", photo_id=str(photo.pk), attempt=photo.attempts)
            if photo.attempts >= settings.MAX_ATTEMPTS:
                fail_photo(photo.pk, PhotoErrorCode.GAVE_UP, GAVE_UP.format(attempts=photo.attempts))
            else:
                PersonPhoto.objects.filter(pk=photo.pk).update(
                    state=PersonPhoto.State.UPLOADED, lease_token=None, lease_expires_at=now + pause_after(photo.attempts)
                )


def _delete_expired_uploads(now: datetime) -> int:
    """Delete photos whose upload was not completed in time, with their files. Return how many."""
    with transaction.atomic():
        expired = PersonPhoto.objects.filter(state=PersonPhoto.State.UPLOADING, upload_expires_at__lt=now)
        photos = list(expired.select_for_update(skip_locked=True, of=("self",))[:_BATCH])
        for photo in photos:
            prefix = photo.storage_prefix
            photo.delete()
            transaction.on_commit(partial(media_storage().delete_prefix, prefix))
    return len(photos)
