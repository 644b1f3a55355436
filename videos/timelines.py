"""Where the sheet of small pictures from all over a video lies, and how it is read."""

from dataclasses import dataclass

from django.conf import settings

from heimdex.media.timeline import layout
from heimdex.storage import media_storage
from videos.models import Video


@dataclass(frozen=True)
class Timeline:
    """A sheet of `count` pictures, row by row of `columns`; picture `i` shows second `i × step_s` of the video's `duration_s`."""

    url: str
    duration_s: float
    step_s: float
    columns: int
    count: int


def timeline_of(video: Video) -> Timeline | None:
    """Return the sheet of a video, with a signed, expiring address; None when it has none. Its metadata should be selected."""
    found = getattr(video, "metadata", None)
    if found is None or not found.has_timeline:
        return None
    plan = layout(found.duration_s)
    url = media_storage().download_url(video.timeline_key, settings.LINK_TTL_SECONDS)
    return Timeline(url, found.duration_s, plan.step_s, plan.columns, plan.count)
