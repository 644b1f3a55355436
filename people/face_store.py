"""Store and delete the faces of scenes, with their images."""

from collections.abc import Collection, Iterable
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from heimdex.outages.deletions import delete_file
from people.models import SceneFace
from videos.models import EmbeddingSpace

_BATCH = 500


def replace_faces(scenes: Collection[UUID], space: EmbeddingSpace, faces: Iterable[SceneFace]) -> None:
    """Replace the faces of some scenes. Call it within a transaction.

    The images of the new faces must be stored already. The images of the old faces are deleted after the commit.
    """
    _delete(SceneFace.objects.filter(scene__in=scenes, space=space))
    SceneFace.objects.bulk_create(faces)


def delete_faces(owner_id: UUID, space: EmbeddingSpace | None = None) -> int:
    """Delete an owner's faces with their images, in one space or in all, in batches. Return how many. Call it outside transactions."""
    faces = SceneFace.objects.filter(owner_id=owner_id, **({"space": space} if space else {})).order_by("pk")
    deleted = 0
    while batch := list(faces.values_list("pk", flat=True)[:_BATCH]):
        with transaction.atomic():
            deleted += _delete(SceneFace.objects.filter(pk__in=batch))
    return deleted


def _delete(faces: QuerySet[SceneFace]) -> int:
    keys = [face.thumbnail_key for face in faces.only("id", "owner_id", "video_id", "scene_id")]
    faces.delete()
    for key in keys:
        delete_file(key)
    return len(keys)
