"""Refresh an owner's photos and people as soon as a photo is added, deleted or retried."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Exists, F, OuterRef, Subquery
from django.utils import timezone

from heimdex.leases import RELEASED, WAKE_AGAIN_AFTER, Lease, LeaseLost
from heimdex.outages.classify import OutageKind, find_outage
from heimdex.outages.database import wait_for_database
from heimdex.outages.models import build_wait_update
from heimdex.outages.record import begin_outage
from heimdex.outages.texts import FAILURE_CODES, FAILURE_TEXTS
from heimdex.queue import enqueue
from people.channels import PERSON_QUERY
from people.errors import PhotoErrorCode, PhotoRejected
from people.face_settings import get_faces_disabled_reason
from people.models import PeopleRefreshRequest, Person, PersonInput, PersonPhoto, QueryEmbedding
from people.photos.normalize import normalize_photo
from people.photos.state import GAVE_UP, fail_photo
from people.refresh import REFRESH_PEOPLE_TASK
from reprocess.cutover import activate_first
from reprocess.runs.engine import Batch, embed_people
from reprocess.spec import get_effective_spec
from reprocess.spec.historical import build_historical_spec
from videos.models import ActiveSpace

log = structlog.get_logger(__name__)

# Photos that one worker acquires at once. Other workers take the rest.
_PHOTOS_AT_ONCE = 8
_OWNERS_AT_ONCE = 100

BROKE = "Something went wrong on our side with this photo. Retry it. If it happens again, tell your administrator."


@dataclass(frozen=True)
class PhotoLease:
    """The lease on photos, as the engine uses it. Photos leave it one by one, so `replace_embeddings` checks the token of each photo.

    A photo that was deleted, or that another worker has taken, is skipped there. It must not stop the others, so that a lost lease is
    ignored here: even without any photo left, the vectors of the people, who have no lease, are still to be refreshed.
    """

    lease: Lease

    def report_progress(self, fraction: float) -> None:
        """Renew the lease on the photos that are not finished."""
        with suppress(LeaseLost):
            self.lease.renew_if_due()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Open a transaction."""
        with transaction.atomic():
            yield


def refresh_people(owner_id: UUID) -> None:
    """Process an owner's uploaded photos, refresh the vectors of the owner's people, and match faces with them.

    Idempotent: vectors that are up to date are not computed again. Earlier requests are deleted, unless an outage prevents the refresh.
    """
    with structlog.contextvars.bound_contextvars(owner_id=str(owner_id)):
        requests = list(PeopleRefreshRequest.objects.filter(owner_id=owner_id).values_list("pk", flat=True))
        lease, photos = _acquire_photos(owner_id)
        # Without photos: one was deleted, a person was archived, or a face was labeled.
        refreshed = bool(photos) or _embed(owner_id, lease, [])
        while photos:
            refreshed = _embed(owner_id, lease, [photo for photo in photos if _normalize(photo, lease)])
            lease, photos = _acquire_photos(owner_id)
        if refreshed:
            PeopleRefreshRequest.objects.filter(pk__in=requests).delete()


def requeue_stale_people() -> int:
    """Enqueue a refresh for each owner with an old request or with out-of-date people. Return how many owners."""
    old = PeopleRefreshRequest.objects.filter(created_at__lt=timezone.now() - WAKE_AGAIN_AFTER)
    owners = set(old.order_by().values_list("owner_id", flat=True).distinct()[:_OWNERS_AT_ONCE]) | _find_outdated_owners()
    for owner_id in owners:
        enqueue(REFRESH_PEOPLE_TASK, str(owner_id))
    return len(owners)


def _find_outdated_owners() -> set[UUID]:
    """Return the owners with a person whose query vector was not computed from the current READY photos."""
    active = ActiveSpace.objects.filter(owner=OuterRef("owner"), channel=PERSON_QUERY)
    hashes = PersonInput.objects.filter(person=OuterRef("pk"), channel=PERSON_QUERY)
    current = QueryEmbedding.objects.filter(person=OuterRef("pk"), space=OuterRef("active_space"), input_hash=OuterRef("query_hash"))
    people = Person.objects.annotate(active_space=Subquery(active.values("space")[:1]), query_hash=Subquery(hashes.values("hash")))
    people = people.filter(~Exists(current), active_space__isnull=False)
    return set(people.order_by().values_list("owner_id", flat=True).distinct()[:_OWNERS_AT_ONCE])


def _acquire_photos(owner_id: UUID) -> tuple[Lease, list[PersonPhoto]]:
    waiting = PersonPhoto.objects.filter(owner_id=owner_id, state=PersonPhoto.State.UPLOADED, waits_for="").order_by("created_at", "pk")
    return Lease.acquire(waiting, _PHOTOS_AT_ONCE, state=PersonPhoto.State.PROCESSING, error_code="", error_text="")


def _normalize(photo: PersonPhoto, lease: Lease) -> bool:
    """Normalize one photo, or mark it as failed. Return whether a model can analyze it."""
    try:
        if photo.is_exhausted:
            raise PhotoRejected(PhotoErrorCode.GAVE_UP, GAVE_UP.format(attempts=settings.MAX_ATTEMPTS))
        if reason := get_faces_disabled_reason(photo.owner):
            raise PhotoRejected(PhotoErrorCode.FACES_OFF, reason)
        normalize_photo(photo, lease)
    except PhotoRejected as refused:
        _fail(photo, lease, refused.code, str(refused))
        return False
    except LeaseLost:
        log.warning("Photo abandoned: its lease is lost, or it was deleted", photo_id=str(photo.pk))
        return False
    except DatabaseError as error:
        _wait_if_outage([photo], lease, error)
        raise
    except Exception as error:
        if not _wait_if_outage([photo], lease, error):
            log.exception("A photo could not be normalized", photo_id=str(photo.pk), attempt=photo.attempts)
            _fail(photo, lease, PhotoErrorCode.INTERNAL_ERROR, BROKE)
        return False
    return True


def _wait_if_outage(photos: list[PersonPhoto], lease: Lease, error: Exception) -> bool:
    """Let photos wait for the end of the outage that caused an error. Return False when the error has to be raised.

    A photo that has waited again and again although nothing is away has failed.
    """
    kind = find_outage(error)
    if kind is None:
        return False
    if kind is OutageKind.DATABASE:
        # If it stays away, the leases expire, and the rescue wakes another worker.
        if wait_for_database():
            _release_uncounted(photos, lease, lease_expires_at=timezone.now())
        return False
    begin_outage(kind, str(error))
    for photo in photos:
        if photo.has_waited_enough:
            _fail(photo, lease, PhotoErrorCode(FAILURE_CODES[kind]), FAILURE_TEXTS[kind])
        else:
            _release_uncounted([photo], lease, **build_wait_update(photo, kind))
    return True


def _release_uncounted(photos: list[PersonPhoto], lease: Lease, **changes: Any) -> None:
    """Release photos. The attempt does not count, because they did not fail."""
    rows = lease.rows.filter(pk__in=[photo.pk for photo in photos])
    rows.update(**{**RELEASED, "state": PersonPhoto.State.UPLOADED, "attempts": F("attempts") - 1, **changes})


def _fail(photo: PersonPhoto, lease: Lease, code: PhotoErrorCode, text: str) -> None:
    """Mark a photo as failed. Do nothing when another worker has the photo or it was deleted."""
    with suppress(LeaseLost), transaction.atomic():
        lease.lock_row(photo.pk)
        fail_photo(photo.pk, code, text)


def _embed(owner_id: UUID, lease: Lease, photos: list[PersonPhoto]) -> bool:
    """Compute the people's vectors in the active and in the latest spaces. The latest decide whether a photo is usable.

    Return False during an outage. Then the photos wait for its end.
    """
    spec, photo_lease = get_effective_spec(), PhotoLease(lease)
    try:
        older = build_historical_spec(owner_id)
        if older.spec:
            embed_people(owner_id, older.spec, photo_lease, _ignore, photo_token=lease.token)
        for problem in older.unavailable:
            log.warning("People are not refreshed in all active spaces of their owner", reason=problem)
        embed_people(owner_id, spec, photo_lease, _ignore, photo_token=lease.token)
    except Exception as error:
        if not _wait_if_outage(photos, lease, error):
            raise
        log.error("People could not be refreshed", reason=str(error))
        return False
    activate_first(owner_id, spec)
    return True


def _ignore(batch: Batch) -> None:
    """Do nothing, because failures are recorded on the photos."""
