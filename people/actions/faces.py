"""Label single faces, and erase everything known about an owner's faces."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from heimdex.accounts.models import User
from heimdex.accounts.owner import lock_owner
from heimdex.storage import get_media_storage
from people.channels import PERSON
from people.face_store import delete_faces
from people.locks import lock_people, lock_photos
from people.models import FaceGroup, FaceLabel, FaceMatch, Person, PersonPhoto, SceneFace
from people.refresh import request_refresh
from videos.models import SceneEmbedding
from videos.storage_keys import get_owner_prefix, parse_key

_BATCH = 2000


@dataclass(frozen=True)
class ErasureCounts:
    """How many people, faces in scenes and files were deleted."""

    people: int
    faces: int
    files: int


def label_face(owner: User, person_id: UUID, face_id: UUID, *, is_person: bool) -> None:
    """Label a face as a person's or not, and queue a rematch of the owner's faces. Labels survive new face detections.

    Raise Person.DoesNotExist or SceneFace.DoesNotExist for another owner's ids.
    """
    with transaction.atomic():
        lock_owner(owner.pk)
        person = Person.objects.get(pk=person_id, owner=owner)
        face = SceneFace.objects.get(pk=face_id, owner=owner)
        FaceLabel.objects.bulk_create(build_labels([face], person, is_person=is_person))
        if not is_person:
            # Takes effect immediately. The rematch may find another person for the face.
            FaceMatch.objects.filter(face=face, person=person).delete()
        request_refresh(owner.pk)


def build_labels(faces: Iterable[SceneFace], person: Person, *, is_person: bool) -> list[FaceLabel]:
    """Build one unsaved label per face."""
    return [
        FaceLabel(
            owner_id=face.owner_id,
            person=person,
            video_id=face.video_id,
            time_s=face.time_s,
            left=face.left,
            top=face.top,
            right=face.right,
            bottom=face.bottom,
            is_person=is_person,
        )
        for face in faces
    ]


def erase_faces(owner_id: UUID) -> ErasureCounts:
    """Delete the owner's people with their photos, all faces, their vectors and files. Idempotent. Call it outside transactions.

    Rows are deleted first, so that search finds nobody from then on. A repeated call deletes what a crash left behind. Turn off face
    recognition before the call; otherwise a worker that processes the owner's videos may store new faces afterwards.
    """
    with transaction.atomic():
        lock_photos(PersonPhoto.objects.filter(owner=owner_id))
        lock_owner(owner_id)
        people = len(lock_people(Person.objects.filter(owner=owner_id), to_delete=True))
        FaceMatch.objects.filter(owner=owner_id).delete()
        FaceLabel.objects.filter(owner=owner_id).delete()
        Person.objects.filter(owner=owner_id).delete()
    faces = delete_faces(owner_id)
    FaceGroup.objects.filter(owner=owner_id).delete()
    # The embedding row of a scene holds the vector of its best face.
    rows = SceneEmbedding.objects.filter(owner=owner_id, space__channel=PERSON)
    while batch := list(rows.values_list("pk", flat=True)[:_BATCH]):
        SceneEmbedding.objects.filter(pk__in=batch).delete()
    return ErasureCounts(people, faces, _delete_files(owner_id))


def _delete_files(owner_id: UUID) -> int:
    storage = get_media_storage()
    prefix = f"{get_owner_prefix(owner_id)}/persons"
    deleted = sum(1 for _ in storage.list_keys(prefix))
    storage.delete_prefix(prefix)
    for key in storage.list_keys(get_owner_prefix(owner_id)):
        # A crash can leave face images behind.
        if (name := parse_key(key)) and name.face_id:
            storage.delete(key)
            deleted += 1
    return deleted
