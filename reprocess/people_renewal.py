"""Bring an owner's photos and people to the latest spec, as soon as a photo arrives, goes, or is tried again."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID, uuid4

import structlog
from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Exists, OuterRef, Subquery
from django.utils import timezone

from heimdex.embedders.errors import EmbedderUnavailable
from heimdex.leases import LeaseLost, claim, expiry
from heimdex.queue import enqueue
from heimdex.storage import StorageError
from people.models import Person, PersonPhoto, QueryEmbedding, RenewalWanted
from people.photos.errors import PhotoErrorCode, PhotoRefused
from people.photos.failing import fail
from people.photos.intake import prepare
from people.photos.schedule import GAVE_UP, RENEW_PEOPLE
from people.switch import why_no_faces
from reprocess.cutover import activate_first
from reprocess.engine import Batch, embed_people
from reprocess.older_spec import older_active_spec
from reprocess.spec import effective_spec
from videos.ingest.schedule import WAKE_AGAIN_AFTER
from videos.models import ActiveSpace, EmbeddingSpace

log = structlog.get_logger(__name__)

# Photos that one worker takes at once; others find the next.
_AT_ONCE = 8
_OWNERS_AT_ONCE = 100

BROKE = "Something went wrong on our side while looking at this photo{reason}. You can retry; if it happens again, tell your administrator."


@dataclass(frozen=True)
class PhotoGuard:
    """The right to the photos that were claimed. What is written of them is the same whoever writes it, so nobody is kept from writing."""

    token: UUID

    def progress(self, fraction: float) -> None:
        """Keep the photos that are not finished."""
        PersonPhoto.objects.filter(lease_token=self.token).update(lease_expires_at=expiry())

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Write in one transaction."""
        with transaction.atomic():
            yield


def renew_people(owner_id: UUID) -> None:
    """Look at every photo of an owner that waits, then renew what the owner's people are looked for with, and whose faces are whose.

    Repeat-safe: what is up to date is not computed again. What was asked for until now counts as done, unless the model could not be used.
    """
    with structlog.contextvars.bound_contextvars(owner_id=str(owner_id)):
        asked = list(RenewalWanted.objects.filter(owner_id=owner_id).values_list("pk", flat=True))
        claimed = _claimed(owner_id)
        # Without a photo that waits: one has gone, somebody was archived, or a face was given to somebody.
        renewed = claimed is not None or _embed(owner_id, uuid4(), [])
        while claimed:
            token, photos = claimed
            renewed = _embed(owner_id, token, [photo for photo in photos if _prepared(photo)])
            claimed = _claimed(owner_id)
        if renewed:
            RenewalWanted.objects.filter(pk__in=asked).delete()


def wake_forgotten() -> int:
    """Wake a worker for every owner whose people nobody has renewed for long though it was asked, or are out of date; return how many."""
    asked = RenewalWanted.objects.filter(created_at__lt=timezone.now() - WAKE_AGAIN_AFTER)
    owners = set(asked.order_by().values_list("owner_id", flat=True).distinct()[:_OWNERS_AT_ONCE]) | _out_of_date()
    for owner_id in owners:
        enqueue(RENEW_PEOPLE, str(owner_id))
    return len(owners)


def _out_of_date() -> set[UUID]:
    """Return the owners whose search looks for a person by photos that are no longer the READY ones."""
    read = ActiveSpace.objects.filter(owner=OuterRef("owner"), channel=EmbeddingSpace.Channel.PERSON_QUERY)
    current = QueryEmbedding.objects.filter(person=OuterRef("pk"), space=OuterRef("read_space"), input_hash=OuterRef("person_query_hash"))
    people = Person.objects.annotate(read_space=Subquery(read.values("space")[:1])).filter(~Exists(current), read_space__isnull=False)
    return set(people.order_by().values_list("owner_id", flat=True).distinct()[:_OWNERS_AT_ONCE])


def _claimed(owner_id: UUID) -> tuple[UUID, list[PersonPhoto]] | None:
    with transaction.atomic():
        waiting = PersonPhoto.objects.filter(owner_id=owner_id, state=PersonPhoto.State.UPLOADED).order_by("created_at", "pk")
        changes = {"state": PersonPhoto.State.PROCESSING, "error_code": "", "error_text": ""}
        token, photos = claim(waiting, _AT_ONCE, **changes)
    return (token, photos) if photos else None


def _prepared(photo: PersonPhoto) -> bool:
    """Take one photo in; return whether a model can look at it."""
    try:
        if photo.attempts > settings.MAX_ATTEMPTS:
            raise PhotoRefused(PhotoErrorCode.GAVE_UP, GAVE_UP.format(attempts=settings.MAX_ATTEMPTS))
        if reason := why_no_faces(photo.owner):
            raise PhotoRefused(PhotoErrorCode.FACES_OFF, reason)
        prepare(photo)
    except PhotoRefused as refused:
        _end(photo, refused.code, str(refused))
        return False
    except LeaseLost:
        log.warning("A photo was abandoned: another worker holds it, or it was deleted", photo_id=str(photo.pk))
        return False
    except DatabaseError:
        raise
    except Exception as error:
        log.exception("A photo could not be taken in", photo_id=str(photo.pk), attempt=photo.attempts)
        _end(photo, PhotoErrorCode.INTERNAL_ERROR, BROKE.format(reason=f": {error}" if isinstance(error, StorageError) else ""))
        return False
    return True


def _end(photo: PersonPhoto, code: PhotoErrorCode, text: str) -> None:
    with transaction.atomic():
        if PersonPhoto.objects.select_for_update().filter(pk=photo.pk, lease_token=photo.lease_token).exists():
            fail(photo.pk, code, text)


def _embed(owner_id: UUID, token: UUID, photos: list[PersonPhoto]) -> bool:
    """Bring the owner's people to the spaces that search reads and to the latest, which have the last word on a photo.

    Return whether the model could be used.
    """
    spec, guard, taken_in = effective_spec(), PhotoGuard(token), [photo.pk for photo in photos]
    try:
        older = older_active_spec(owner_id)
        if older.spec:
            embed_people(owner_id, older.spec, guard, _ignore, photos=taken_in)
        for problem in older.left_out:
            log.warning("People are not renewed in all spaces that their owner's search reads", reason=problem)
        embed_people(owner_id, spec, guard, _ignore, photos=taken_in)
    except EmbedderUnavailable as error:
        for photo in photos:
            _end(photo, PhotoErrorCode.INTERNAL_ERROR, BROKE.format(reason=f": {str(error).rstrip('.')}"))
        log.error("People could not be renewed", reason=str(error))
        return False
    activate_first(owner_id, spec)
    return True


def _ignore(batch: Batch) -> None:
    """Failures stand on the photos themselves."""
