"""Write the words of videos that have none yet, or those of an older analysis: after an upgrade, for example."""

from collections.abc import Callable
from time import monotonic
from uuid import UUID

from django.db.models import QuerySet

from videos.models import Video
from videos.search.lexical.word_rows import select_unwritten_videos, write_missing_words


def count_videos_to_backfill(owner_id: UUID | None = None) -> int:
    """Return how many indexed videos, of one owner or of all, have no current words."""
    return _select(owner_id).count()


def backfill_words(owner_id: UUID | None = None, *, max_s: float | None = None, on_video: Callable[[], None] = lambda: None) -> int:
    """Write the missing words of videos, each in a transaction of its own, for at most about `max_s` seconds. Return how many videos."""
    began = monotonic()
    written = 0
    while (video_id := _select(owner_id).order_by("pk").values_list("pk", flat=True).first()) is not None:
        write_missing_words(video_id)
        written += 1
        on_video()
        if max_s is not None and monotonic() - began >= max_s:
            break
    return written


def _select(owner_id: UUID | None) -> QuerySet[Video]:
    videos = select_unwritten_videos()
    return videos if owner_id is None else videos.filter(owner_id=owner_id)
