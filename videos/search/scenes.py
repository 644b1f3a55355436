"""Select scenes for search and its indexes."""

from uuid import UUID

from django.db.models import QuerySet

from videos.models import Scene, Video


def select_searchable_scenes(owner_id: UUID) -> QuerySet[Scene]:
    """Return the scenes of an owner's indexed videos."""
    return Scene.objects.filter(owner_id=owner_id, video__state=Video.State.INDEXED)


def list_scene_ids(video: Video) -> list[UUID]:
    """Return the ids of a video's scenes."""
    return list(Scene.objects.filter(video=video).values_list("pk", flat=True))
