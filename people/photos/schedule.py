"""Ask workers to look at photos, and ask again when nobody did."""

from datetime import datetime
from functools import partial
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from heimdex.leases import LET_GO, free
from heimdex.queue import enqueue
from heimdex.storage import media_storage
from people.models import PersonPhoto, RenewalWanted
from people.photos.errors import PhotoErrorCode
from people.photos.failing import fail
from videos.ingest.schedule import WAKE_AGAIN_AFTER, pause_after

log = structlog.get_logger(__name__)

# It belongs to a package above this one, so it is named, not imported.
RENEW_PEOPLE = "reprocess.tasks.renew_people"
_MOST_AT_ONCE = 200

GAVE_UP = (
    "Looking at this photo stopped {attempts} times. The file may be damaged in an unusual way, or the server short of memory. "
    "You can retry."
)


def wake(owner_id: UUID) -> None:
    """Ask a worker to look at an owner's photos and people, once the current transaction commits.

    The row stays until a worker has done it, whatever becomes of the wake-up.
    """
    RenewalWanted.objects.create(owner_id=owner_id)
    enqueue(RENEW_PEOPLE, str(owner_id))


def rescue() -> int:
    """Wake a worker for every photo whose worker died, or whose wake-up was lost; remove uploads that never came. Return how many.

    A photo that has been tried as often as is allowed fails instead.
    """
    now = timezone.now()
    _put_down_lost_photos(now)
    asleep = Q(lease_expires_at__isnull=True) & (Q(woken_at__isnull=True) | Q(woken_at__lt=now - WAKE_AGAIN_AFTER))
    with transaction.atomic():
        waiting = PersonPhoto.objects.filter(Q(lease_expires_at__lt=now) | asleep, state=PersonPhoto.State.UPLOADED)
        stuck = list(waiting.select_for_update(skip_locked=True, of=("self",)).order_by("created_at")[:_MOST_AT_ONCE])
        for photo in stuck:
            log.warning("Rescued a photo that nobody looks at", photo_id=str(photo.pk), attempts=photo.attempts)
        # The pause that is over must not call for another rescue before the wake-up is answered.
        PersonPhoto.objects.filter(pk__in=[photo.pk for photo in stuck]).update(woken_at=now, **LET_GO)
        for owner_id in sorted({photo.owner_id for photo in stuck}):
            wake(owner_id)
    return len(stuck) + _remove_expired_uploads(now)


def _put_down_lost_photos(now: datetime) -> None:
    """Queue again, after a pause, every photo whose worker no longer keeps its lease; the last attempt ends it."""
    with transaction.atomic():
        lost = PersonPhoto.objects.filter(free(), state=PersonPhoto.State.PROCESSING)
        for photo in lost.select_for_update(skip_locked=True, of=("self",))[:_MOST_AT_ONCE]:
            log.warning("A photo has lost its worker", photo_id=str(photo.pk), attempt=photo.attempts)
            if photo.attempts >= settings.MAX_ATTEMPTS:
                fail(photo.pk, PhotoErrorCode.GAVE_UP, GAVE_UP.format(attempts=photo.attempts))
            else:
                PersonPhoto.objects.filter(pk=photo.pk).update(
                    state=PersonPhoto.State.UPLOADED, lease_token=None, lease_expires_at=now + pause_after(photo.attempts)
                )


def _remove_expired_uploads(now: datetime) -> int:
    """Remove what was announced and never completed, with whatever arrived of it."""
    with transaction.atomic():
        expired = PersonPhoto.objects.filter(state=PersonPhoto.State.UPLOADING, upload_expires_at__lt=now)
        gone = list(expired.select_for_update(skip_locked=True, of=("self",))[:_MOST_AT_ONCE])
        for photo in gone:
            prefix = photo.storage_prefix
            photo.delete()
            transaction.on_commit(partial(media_storage().delete_prefix, prefix))
    return len(gone)
