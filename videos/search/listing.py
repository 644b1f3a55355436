"""List scenes in an order that needs no ranking: of the newest or oldest videos first, or by title; scenes of a video by time."""

from collections.abc import Collection, Iterable
from enum import StrEnum
from uuid import UUID

from django.db.models import F, Q, QuerySet

from videos.models import Scene
from videos.search.cursors import Position


class Sort(StrEnum):
    """The order of an answer. Scenes that no words or people rank are listed from the newest video on."""

    RELEVANCE = "relevance"
    NEWEST = "newest"
    OLDEST = "oldest"
    TITLE = "title"

    @property
    def is_ranking(self) -> bool:
        """Whether the best scenes come first."""
        return self is Sort.RELEVANCE


# The first field and its direction; then come the video and the time.
_FIRST = {
    Sort.RELEVANCE: ("video__created_at", False),
    Sort.NEWEST: ("video__created_at", False),
    Sort.OLDEST: ("video__created_at", True),
    Sort.TITLE: ("video__title", True),
}


def sort_scenes(scene_ids: Collection[UUID], sort: Sort) -> list[UUID]:
    """Return scenes in an order, with one query. Scenes that have been deleted are left out."""
    return list(_order(Scene.objects.filter(pk__in=scene_ids), sort).values_list("pk", flat=True))


def list_page(scenes: QuerySet[Scene], sort: Sort, position: Position | None, limit: int) -> tuple[int, Iterable[tuple[UUID, UUID]]]:
    """Return the index at which a page of scenes starts, and scene and video of each of its rows."""
    ordered = _order(scenes, sort)
    rows = ordered.values_list("pk", "video_id")
    if position is None:
        return 0, rows[:limit]
    field, is_ascending = _FIRST[sort]
    anchor = Scene.objects.filter(pk=position.after).values_list(field, "video_id", "index").first() if position.after else None
    if anchor is None:
        return position.offset, rows[position.offset : position.offset + limit]
    first, video_id, index = anchor
    later_in_video = Q(video_id__gt=video_id) | Q(video_id=video_id, index__gt=index)
    is_later = Q(**{f"{field}__{'gt' if is_ascending else 'lt'}": first}) | Q(**{field: first}) & later_in_video
    return position.offset, rows.filter(is_later)[:limit]


def _order(scenes: QuerySet[Scene], sort: Sort) -> QuerySet[Scene]:
    field, is_ascending = _FIRST[sort]
    return scenes.order_by(F(field).asc() if is_ascending else F(field).desc(), "video_id", "index")
