"""`person_photo`: the one face in a person's photo."""

import io
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from heimdex.embedders.base import Embedder
from heimdex.faces.base import FaceModel
from heimdex.leases import RELEASED
from heimdex.storage import get_media_storage
from people.channels import PERSON_PHOTO, PHOTO
from people.errors import PhotoErrorCode, PhotoRejected
from people.input_hashes import refresh_person_inputs
from people.models import PersonPhoto
from people.photos import quality_check
from people.photos.state import fail_photo
from reprocess.planning.targets import PHOTOS
from reprocess.steps.base import InputMissing, PeopleStep
from reprocess.steps.embedding_task import EmbeddingTask, NoContent, Outcome, Result
from videos.channels import Channel
from videos.models import EmbeddingSpace

if TYPE_CHECKING:
    from PIL.Image import Image


class PersonPhotoStep(PeopleStep):
    target_type = PHOTOS
    name = "person_photo"
    order = 40
    code_version = 1
    fills = (Channel(PERSON_PHOTO, (PHOTO,), searched_by_text=False, target="photo"),)
    embedder_alias = "faces"
    params = {"faces": "the one that is clearly the largest"}

    def compute_hashes(self, targets: QuerySet[PersonPhoto]) -> Mapping[UUID, str]:
        return dict(targets.order_by().values_list("pk", "image_hash"))

    def load_sources(self, targets: Sequence[PersonPhoto], spaces: Mapping[str, EmbeddingSpace]) -> Mapping[UUID, str]:
        return {photo.pk: photo.image_key for photo in targets}

    def prepare(self, task: EmbeddingTask, embedder: Embedder) -> "Image":
        from PIL import Image

        try:
            with get_media_storage().open(str(task.source)) as file:
                return Image.open(io.BytesIO(file.read())).convert("RGB")
        except (OSError, SyntaxError) as error:
            raise InputMissing(f"The photo cannot be read ({error}). Upload it again.") from error

    def embed(self, embedder: Embedder, inputs: Sequence[Any]) -> Sequence[Result]:
        assert isinstance(embedder, FaceModel)
        return [_select_face(faces) for faces in embedder.find_faces(inputs)]

    def persist(self, outcomes: Sequence[Outcome], spaces: Mapping[str, EmbeddingSpace]) -> None:
        photos = [outcome.target for outcome in outcomes if isinstance(outcome.target, PersonPhoto)]
        ready = [outcome.task.target_id for outcome in outcomes if outcome.vector is not None]
        PersonPhoto.objects.filter(pk__in=ready).update(
            state=PersonPhoto.State.READY, error_code="", error_text="", updated_at=timezone.now(), **RELEASED
        )
        for outcome in outcomes:
            if outcome.no_content.code:
                fail_photo(outcome.task.target_id, PhotoErrorCode(outcome.no_content.code), outcome.no_content.reason)
        # A READY photo that cannot be read now stays READY: the run records the failure, and the next run tries again.
        errors = {outcome.task.target_id: outcome.error for outcome in outcomes if outcome.error}
        for photo_id in _filter_in_progress(errors):
            fail_photo(photo_id, PhotoErrorCode.INTERNAL_ERROR, errors[photo_id])
        refresh_person_inputs({photo.person_id for photo in photos})


def _filter_in_progress(photo_ids: Collection[UUID]) -> list[UUID]:
    return list(PersonPhoto.objects.filter(pk__in=photo_ids, state__in=PersonPhoto.IN_PROGRESS).values_list("pk", flat=True))


def _select_face(faces: Sequence[Any]) -> Result:
    try:
        return quality_check.check_quality(faces).vector
    except PhotoRejected as refused:
        return NoContent(refused.code, str(refused))


STEP = PersonPhotoStep()
