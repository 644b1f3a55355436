"""What steps give vectors to: scenes, photos of people, and people."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Model, QuerySet

from people.models import Person, PersonPhoto, PhotoEmbedding, QueryEmbedding
from people.photos.errors import JUDGED
from videos.models import EmbeddingRow, EmbeddingSpace, Scene, SceneEmbedding, Video


@dataclass(frozen=True)
class Kind:
    """A kind of subject: its rows, and the rows of its vectors, which refer to it by the field `name`.

    Each subject has the field `<channel>_hash` with the hash of what the channel would embed now, and `embeddings`.
    """

    name: str
    plural: str
    model: type[Model]
    rows: type[EmbeddingRow]

    def searchable(self, owner_id: UUID | None = None) -> QuerySet[Any]:
        """Return what counts towards an owner's coverage, or everybody's; what is still being processed does not yet."""
        subjects = _SEARCHABLE[self.name]()
        return subjects.filter(owner=owner_id) if owner_id else subjects

    def rows_of(self, **which: Any) -> QuerySet[Any]:
        """Return rows of its vectors."""
        return self.rows._default_manager.filter(**which)


SCENES = Kind("scene", "scenes", Scene, SceneEmbedding)
PHOTOS = Kind("photo", "photos", PersonPhoto, PhotoEmbedding)
PEOPLE = Kind("person", "people", Person, QueryEmbedding)
KINDS = (SCENES, PHOTOS, PEOPLE)


def photos_with_picture() -> QuerySet[PersonPhoto]:
    """Return the photos that a model can look at, or has looked at, whatever it saw; not those that were refused before."""
    return PersonPhoto.objects.filter(state__in=_LOOKED_AT, error_code__in=("", *JUDGED)).exclude(person_photo_hash="")


_LOOKED_AT = (PersonPhoto.State.PROCESSING, PersonPhoto.State.READY, PersonPhoto.State.FAILED)
_SEARCHABLE = {
    "scene": lambda: Scene.objects.filter(video__state=Video.State.INDEXED),
    "photo": lambda: photos_with_picture().exclude(state=PersonPhoto.State.PROCESSING),
    "person": Person.objects.all,
}


def kind_of(channel: str) -> Kind:
    """Return what has the vectors of a channel."""
    if channel == EmbeddingSpace.Channel.PERSON_PHOTO:
        return PHOTOS
    return PEOPLE if channel == EmbeddingSpace.Channel.PERSON_QUERY else SCENES
