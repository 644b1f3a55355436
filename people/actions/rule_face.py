"""Say that a face is a person's, or that it is not; that stays said however often faces are found anew."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from heimdex.accounts.locks import lock_owner
from heimdex.accounts.models import User
from people.models import FaceMatch, FaceRuling, Person, SceneFace
from people.photos.schedule import wake


def rule_face(owner: User, person_id: UUID, face_id: UUID, *, is_person: bool) -> None:
    """Record it, and have the owner's faces matched anew. Person.DoesNotExist or SceneFace.DoesNotExist for another owner's."""
    with transaction.atomic():
        lock_owner(owner.pk)
        person = Person.objects.get(pk=person_id, owner=owner)
        face = SceneFace.objects.get(pk=face_id, owner=owner)
        FaceRuling.objects.bulk_create(rulings([face], person, is_person=is_person))
        if not is_person:
            # At once; the worker that is woken may give it to somebody else.
            FaceMatch.objects.filter(face=face, person=person).delete()
        wake(owner.pk)


def rulings(faces: Iterable[SceneFace], person: Person, *, is_person: bool) -> list[FaceRuling]:
    """Return what is to be recorded of some faces."""
    return [
        FaceRuling(
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
