"""What workers run for videos: each takes ids and makes one call."""

from uuid import UUID

from videos.ingest.pipeline import ingest
from videos.ingest.schedule import rescue
from videos.search.queries import forget_old_queries


def ingest_video(video_id: str) -> None:
    """Take a video through the stages that are left."""
    ingest(UUID(video_id))


def rescue_videos() -> int:
    """Find videos that nobody works on and have them taken up again; return how many."""
    return rescue()


def forget_queries() -> int:
    """Forget what was searched for long ago; return how much."""
    return forget_old_queries()
