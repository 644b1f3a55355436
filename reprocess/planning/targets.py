"""Target types: what an embedding step computes vectors for (scenes, photos of people, and people)."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Model, QuerySet

from people.errors import QUALITY_ERRORS
from people.models import Person, PersonInput, PersonPhoto, PhotoEmbedding, PhotoInput, QueryEmbedding
from videos.channels import find_channel
from videos.models import EmbeddingRow, InputHash, Scene, SceneEmbedding, SceneInput, Video


@dataclass(frozen=True)
class TargetType:
    """A type of target: its model, and the models of its vectors and input hashes.

    Both have a foreign key named `name` to the target, and the target has the reverse relations `embeddings` and `inputs`.
    """

    name: str
    plural: str
    model: type[Model]
    embedding_model: type[EmbeddingRow]
    input_model: type[InputHash]

    def select_searchable(self, owner_id: UUID | None = None) -> QuerySet[Any]:
        """Return the targets that count towards coverage, of one owner or of all. Targets that are still being processed do not."""
        targets = _SEARCHABLE[self.name]()
        return targets.filter(owner=owner_id) if owner_id else targets

    def filter_embeddings(self, **lookups: Any) -> QuerySet[Any]:
        """Return the vectors' rows that match the lookups."""
        return self.embedding_model._default_manager.filter(**lookups)


SCENES = TargetType("scene", "scenes", Scene, SceneEmbedding, SceneInput)
PHOTOS = TargetType("photo", "photos", PersonPhoto, PhotoEmbedding, PhotoInput)
PEOPLE = TargetType("person", "people", Person, QueryEmbedding, PersonInput)
TARGET_TYPES = (SCENES, PHOTOS, PEOPLE)
_BY_NAME = {target_type.name: target_type for target_type in TARGET_TYPES}


def select_analyzable_photos() -> QuerySet[PersonPhoto]:
    """Return the photos that a model can analyze or has analyzed, with any result. Photos that were refused earlier are left out."""
    return PersonPhoto.objects.filter(state__in=_ANALYZABLE, error_code__in=("", *QUALITY_ERRORS)).exclude(image_hash="")


_ANALYZABLE = (PersonPhoto.State.PROCESSING, PersonPhoto.State.READY, PersonPhoto.State.FAILED)
_SEARCHABLE = {
    "scene": lambda: Scene.objects.filter(video__state=Video.State.INDEXED),
    "photo": lambda: select_analyzable_photos().exclude(state=PersonPhoto.State.PROCESSING),
    "person": Person.objects.all,
}


def get_target_type(channel: str) -> TargetType:
    """Return the target type of a channel."""
    if registered := find_channel(channel):
        return _BY_NAME[registered.target]
    # The step of this channel no longer exists, but its spaces may.
    return next((known for known in TARGET_TYPES if known.filter_embeddings(space__channel=channel).exists()), SCENES)
