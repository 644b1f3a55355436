"""Name a group of unknown faces in one step: its faces become a person's, and the best of them the person's photos."""

import io
from datetime import timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from heimdex.accounts.locks import lock_owner
from heimdex.accounts.models import User
from heimdex.faces.base import Box
from heimdex.storage import StorageError, media_storage
from people.actions.add_person import add_person
from people.actions.rule_face import rulings
from people.groups import unknown_faces
from people.models import FaceGroup, FaceRuling, Person, PersonPhoto, SceneFace
from people.names import clean_name
from people.photos.judging import SMALLEST_SIDE_PX
from people.photos.schedule import wake

log = structlog.get_logger(__name__)

# A person is found by the mean of these; more of one film would say little more.
_PHOTOS = 3
# A photo shows so much more than the face on each side, as a share of the face, so that a detector finds it again.
_MARGIN = 0.8


def name_group(owner: User, group_id: UUID, *, name: str = "", person_id: UUID | None = None) -> Person:
    """Give the group's faces to a person: the one of this id, or of this name, who is added when there is none. Return the person.

    FaceGroup.DoesNotExist or Person.DoesNotExist for another owner's; Refused for a name that is none.
    """
    with transaction.atomic():
        lock_owner(owner.pk)
        group = FaceGroup.objects.get(pk=group_id, owner=owner)
        person = Person.objects.get(pk=person_id, owner=owner) if person_id else _named(owner, name)
        faces = list(unknown_faces(owner.pk).filter(group=group))
        FaceRuling.objects.bulk_create(rulings(faces, person, is_person=True))
        _add_photos(person, faces)
        wake(owner.pk)
    return person


def _named(owner: User, name: str) -> Person:
    known = Person.objects.filter(owner=owner, name__iexact=clean_name(name), archived_at__isnull=True).first()
    return known or add_person(owner, name)


def _add_photos(person: Person, faces: list[SceneFace]) -> None:
    room = min(_PHOTOS, settings.MAX_PHOTOS - person.photos.count())
    taken: set[bytes] = set()
    for face in faces:
        if len(taken) >= room or face.side_px < SMALLEST_SIDE_PX:
            continue
        try:
            picture = _cut_out(face)
        except (OSError, StorageError, ValueError) as error:
            log.warning("A face could not be made a photo", face_id=str(face.pk), reason=str(error))
            continue
        if picture in taken:
            # The same shot in another film.
            continue
        taken.add(picture)
        now = timezone.now()
        photo = PersonPhoto.objects.create(
            person=person,
            owner_id=person.owner_id,
            filename=f"{face.video.title[:200]} at {face.time_s:.0f} s.jpg",
            mime_type="image/jpeg",
            size_bytes=len(picture),
            state=PersonPhoto.State.UPLOADED,
            woken_at=now,
            upload_expires_at=now + timedelta(seconds=settings.UPLOAD_TTL_SECONDS),
        )
        media_storage().save(photo.original_key, picture, "image/jpeg")


def _cut_out(face: SceneFace) -> bytes:
    """Return the face with what is around it, out of the scene's picture in which it is seen best; ValueError when that is gone."""
    from PIL import Image

    scene = face.scene
    times = [scene.keyframe_time_s, *scene.other_keyframes_s]
    key = next((key for time_s, (key, _) in zip(times, scene.pictures, strict=False) if time_s == face.time_s), None)
    if key is None:
        raise ValueError("the scene has no picture of that moment any more")
    with media_storage().open(key) as file:
        picture = Image.open(file).convert("RGB")
    box = Box(face.left, face.top, face.right, face.bottom)
    jpeg = io.BytesIO()
    picture.crop(box.around(_MARGIN, picture.size)).save(jpeg, "JPEG", quality=95)
    return jpeg.getvalue()
