"""The timeline of a video: a sheet of small images from the whole video."""

from dataclasses import dataclass

from heimdex.media.timeline import compute_layout
from heimdex.storage import signed_url
from videos.models import Video


@dataclass(frozen=True)
class Timeline:
    """A sheet of `count` images, row by row of `columns`. Image `i` shows second `i × step_s` of the video's `duration_s`."""

    url: str
    duration_s: float
    step_s: float
    columns: int
    count: int


def get_timeline(video: Video) -> Timeline | None:
    """Return a video's timeline with a signed URL, or None when it has none. Select the video's metadata first."""
    metadata = getattr(video, "metadata", None)
    if metadata is None or not metadata.has_timeline:
        return None
    layout = compute_layout(metadata.duration_s)
    return Timeline(signed_url(video.timeline_key), metadata.duration_s, layout.step_s, layout.columns, layout.count)
