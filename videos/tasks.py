"""The tasks of videos. Each takes ids and makes one call."""

from uuid import UUID

from videos.ingest.pipeline import ingest
from videos.ingest.schedule import rescue
from videos.search.recorded_queries import delete_old_queries


def ingest_video(video_id: str) -> None:
    """Run the remaining stages of a video's ingest."""
    ingest(UUID(video_id))


def rescue_videos() -> int:
    """Rescue videos that no worker processes. Return the number."""
    return rescue()


def forget_queries() -> int:
    """Delete old recorded queries. Return the number."""
    return delete_old_queries()
