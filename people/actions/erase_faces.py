"""Erase all that is known of an owner's faces: rows, vectors and files."""

from dataclasses import asdict, dataclass
from uuid import UUID

from django.db import transaction

from heimdex.accounts.locks import lock_owner
from heimdex.storage import media_storage
from people.faces import remove_faces
from people.locks import lock_people, lock_photos
from people.models import FaceGroup, FaceMatch, FaceRuling, Person, PersonPhoto
from videos.file_names import owner_prefix, parse_key
from videos.models import EmbeddingSpace, SceneEmbedding

_BATCH = 2000


@dataclass(frozen=True)
class Erased:
    """How many people, faces in scenes and files are gone."""

    people: int
    faces: int
    files: int

    def as_data(self) -> dict[str, int]:
        """Return it as JSON holds it."""
        return asdict(self)


def erase_faces(owner_id: UUID) -> Erased:
    """Remove the owner's people with their photos, all faces, what search data holds of them, and the files; repeat-safe.

    Rows go first, so that nothing is found from the first moment on; a repeated call removes what a crash has left. A worker that is at
    the owner's videos may find faces after it: switch them off before. Call it outside transactions.
    """
    with transaction.atomic():
        lock_photos(PersonPhoto.objects.filter(owner=owner_id))
        lock_owner(owner_id)
        people = len(lock_people(Person.objects.filter(owner=owner_id), to_delete=True))
        FaceMatch.objects.filter(owner=owner_id).delete()
        FaceRuling.objects.filter(owner=owner_id).delete()
        Person.objects.filter(owner=owner_id).delete()
    faces = remove_faces(owner_id)
    FaceGroup.objects.filter(owner=owner_id).delete()
    # The row of a scene holds the vector of the face that is seen best in it.
    rows = SceneEmbedding.objects.filter(owner=owner_id, space__channel=EmbeddingSpace.Channel.PERSON)
    while batch := list(rows.values_list("pk", flat=True)[:_BATCH]):
        SceneEmbedding.objects.filter(pk__in=batch).delete()
    return Erased(people, faces, _remove_files(owner_id))


def _remove_files(owner_id: UUID) -> int:
    storage = media_storage()
    people = f"{owner_prefix(owner_id)}/persons"
    removed = sum(1 for _ in storage.keys(people))
    storage.delete_prefix(people)
    for key in storage.keys(owner_prefix(owner_id)):
        # What a crash has left of the pictures of single faces.
        if (name := parse_key(key)) and name.face_id:
            storage.delete(key)
            removed += 1
    return removed
