"""The rows and pictures of the faces that were seen in scenes."""

from collections.abc import Collection, Iterable
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from heimdex.storage import media_storage
from people.models import SceneFace
from videos.models import EmbeddingSpace

_BATCH = 500


def replace_faces(scenes: Collection[UUID], space: EmbeddingSpace, faces: Iterable[SceneFace]) -> None:
    """Write the faces of some scenes in place of those that are there. Call it within a transaction.

    The pictures of the new ones are stored already; those of the old ones go once it has committed.
    """
    _delete(SceneFace.objects.filter(scene__in=scenes, space=space))
    SceneFace.objects.bulk_create(faces)


def remove_faces(owner_id: UUID, space: EmbeddingSpace | None = None) -> int:
    """Delete an owner's faces with their pictures, in one space or in all, in batches; return how many. Call it outside transactions."""
    faces = SceneFace.objects.filter(owner_id=owner_id, **({"space": space} if space else {})).order_by("pk")
    removed = 0
    while batch := list(faces.values_list("pk", flat=True)[:_BATCH]):
        with transaction.atomic():
            removed += _delete(SceneFace.objects.filter(pk__in=batch))
    return removed


def _delete(faces: QuerySet[SceneFace]) -> int:
    keys = [face.thumbnail_key for face in faces.only("id", "owner_id", "video_id", "scene_id")]
    faces.delete()
    transaction.on_commit(partial(_forget, keys))
    return len(keys)


def _forget(keys: Iterable[str]) -> None:
    for key in keys:
        media_storage().delete(key)
