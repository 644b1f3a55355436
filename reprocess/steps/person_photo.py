"""`person_photo`: the one face of a person's photo."""

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from heimdex.embedders.base import Embedder
from heimdex.faces.base import FaceModel
from heimdex.leases import LET_GO
from heimdex.storage import media_storage
from people.models import PersonPhoto
from people.photos import judging
from people.photos.errors import PhotoErrorCode, PhotoRefused
from people.photos.failing import fail
from people.query_hashes import refresh_query_hash
from reprocess.steps.base import InputMissing, PeopleStep
from reprocess.subjects import PHOTOS
from reprocess.work import Nothing, Outcome, Result, Subject, Work
from videos.models import EmbeddingSpace

if TYPE_CHECKING:
    from PIL.Image import Image

_CHANNEL = EmbeddingSpace.Channel.PERSON_PHOTO.value


class PhotoOfPerson(PeopleStep):
    kind = PHOTOS
    name = "person_photo"
    order = 40
    code_version = 1
    channels = (_CHANNEL,)
    embedder_alias = "faces"
    params = {"faces": "the one that is clearly the largest"}
    composed_by = (judging,)

    def work(self, stale: QuerySet[Any], spaces: Mapping[str, EmbeddingSpace]) -> Iterator[tuple[Subject, Work]]:
        for photo in stale.order_by("created_at", "pk"):
            yield photo, Work(photo.pk, photo.owner_id, _CHANNEL, photo.person_photo_hash, photo.picture_key)

    def load(self, work: Work, embedder: Embedder) -> "Image":
        from PIL import Image

        try:
            with media_storage().open(str(work.source)) as file:
                return Image.open(io.BytesIO(file.read())).convert("RGB")
        except (OSError, SyntaxError) as error:
            raise InputMissing(f"The photo cannot be read ({error}). Upload it again.") from error

    def embed(self, embedder: Embedder, inputs: Sequence[Any]) -> Sequence[Result]:
        assert isinstance(embedder, FaceModel)
        return [_judged(found) for found in embedder.faces(inputs)]

    def keep(self, outcomes: Sequence[Outcome], spaces: Mapping[str, EmbeddingSpace]) -> None:
        photos = [outcome.subject for outcome in outcomes if isinstance(outcome.subject, PersonPhoto)]
        ready = [outcome.work.subject_id for outcome in outcomes if outcome.vector is not None]
        PersonPhoto.objects.filter(pk__in=ready).update(
            state=PersonPhoto.State.READY, error_code="", error_text="", updated_at=timezone.now(), **LET_GO
        )
        for outcome in outcomes:
            if outcome.nothing.code:
                fail(outcome.work.subject_id, PhotoErrorCode(outcome.nothing.code), outcome.nothing.reason)
        # A photo that was READY stays so when it cannot be read now: the run names the failure, and the next one tries again.
        for photo_id in _moving([outcome for outcome in outcomes if outcome.error]):
            fail(photo_id, PhotoErrorCode.INTERNAL_ERROR, next(one.error for one in outcomes if one.work.subject_id == photo_id))
        refresh_query_hash({photo.person_id for photo in photos})


def _moving(outcomes: Sequence[Outcome]) -> list[UUID]:
    ids = [outcome.work.subject_id for outcome in outcomes]
    return list(PersonPhoto.objects.filter(pk__in=ids, state__in=PersonPhoto.MOVING).values_list("pk", flat=True))


def _judged(found: Sequence[Any]) -> Result:
    try:
        return judging.judge(found).vector
    except PhotoRefused as refused:
        return Nothing(refused.code, str(refused))


STEP = PhotoOfPerson()
