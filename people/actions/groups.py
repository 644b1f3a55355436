"""Name a group of unnamed faces: label its faces as one person's, and add the best ones as photos of that person."""

import io
from datetime import timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from heimdex.accounts.models import User
from heimdex.accounts.owner import lock_owner
from heimdex.faces.base import Box
from heimdex.outages.classify import find_outage
from heimdex.storage import get_media_storage
from people.actions.faces import build_labels
from people.actions.persons import add_person
from people.models import FaceGroup, FaceLabel, Person, PersonPhoto, SceneFace
from people.names import clean_name
from people.photos.quality_check import MIN_SIDE_PX
from people.queries import find_unnamed_faces
from people.refresh import request_refresh

log = structlog.get_logger(__name__)

# A person is matched by the mean of their photos. More photos from one video would add little.
_MAX_PHOTOS = 3
# Margin on each side, as a fraction of the face's size. A detector needs it to find the face in the photo.
_MARGIN = 0.8


def name_group(owner: User, group_id: UUID, *, name: str = "", person_id: UUID | None = None) -> Person:
    """Label the group's faces as a person's and return the person: the one with this id or name, or a new one.

    Raise FaceGroup.DoesNotExist or Person.DoesNotExist for another owner's ids, and Refused for an invalid name.
    """
    with transaction.atomic():
        lock_owner(owner.pk)
        group = FaceGroup.objects.get(pk=group_id, owner=owner)
        person = Person.objects.get(pk=person_id, owner=owner) if person_id else _get_or_add_person(owner, name)
        faces = list(find_unnamed_faces(owner.pk).filter(group=group))
        FaceLabel.objects.bulk_create(build_labels(faces, person, is_person=True))
        _add_photos(person, faces)
        request_refresh(owner.pk)
    return person


def _get_or_add_person(owner: User, name: str) -> Person:
    person = Person.objects.filter(owner=owner, name__iexact=clean_name(name), archived_at__isnull=True).first()
    return person or add_person(owner, name)


def _add_photos(person: Person, faces: list[SceneFace]) -> None:
    limit = min(_MAX_PHOTOS, settings.MAX_PHOTOS - person.photos.count())
    added: set[bytes] = set()
    for face in faces:
        if len(added) >= limit or face.side_px < MIN_SIDE_PX:
            continue
        try:
            image = _crop_face(face)
        except (OSError, ValueError) as error:
            if find_outage(error):
                raise
            log.warning("Could not add a face as a photo", face_id=str(face.pk), reason=str(error))
            continue
        if image in added:
            # The same shot in another video.
            continue
        added.add(image)
        now = timezone.now()
        photo = PersonPhoto.objects.create(
            person=person,
            owner_id=person.owner_id,
            filename=f"{face.video.title[:200]} at {face.time_s:.0f} s.jpg",
            mime_type="image/jpeg",
            size_bytes=len(image),
            state=PersonPhoto.State.UPLOADED,
            woken_at=now,
            upload_expires_at=now + timedelta(seconds=settings.UPLOAD_TTL_SECONDS),
        )
        get_media_storage().save(photo.original_key, image, "image/jpeg")


def _crop_face(face: SceneFace) -> bytes:
    """Crop the face with a margin out of its keyframe, as JPEG. Raise ValueError when the scene no longer has that keyframe."""
    from PIL import Image

    scene = face.scene
    times = [scene.keyframe_time_s, *scene.other_keyframes_s]
    key = next((key for time_s, (key, _) in zip(times, scene.image_keys, strict=False) if time_s == face.time_s), None)
    if key is None:
        raise ValueError("the scene no longer has the keyframe of this face")
    with get_media_storage().open(key) as file:
        keyframe = Image.open(file).convert("RGB")
    box = Box(face.left, face.top, face.right, face.bottom)
    jpeg = io.BytesIO()
    keyframe.crop(box.expand(_MARGIN, keyframe.size)).save(jpeg, "JPEG", quality=95)
    return jpeg.getvalue()
