"""The tasks of videos. Each takes ids and makes one call."""

from uuid import UUID

from heimdex.queue import enqueue
from videos.ingest.pipeline import ingest
from videos.ingest.schedule import rescue
from videos.search.lexical.backfill import backfill_words, count_videos_to_backfill
from videos.search.lexical.search_index import send_in_background
from videos.search.recorded_queries import delete_old_queries

# Other tasks of the queue wait meanwhile. The next part follows with the next `find_missing_words`.
_BACKFILL_S = 30.0


def ingest_video(video_id: str) -> None:
    """Run the remaining stages of a video's ingest."""
    ingest(UUID(video_id))


def rescue_videos() -> int:
    """Rescue videos that no worker processes. Return the number."""
    return rescue()


def backfill_missing_words() -> int:
    """Analyze the words of videos that search does not know, for a while. Return how many videos."""
    return backfill_words(max_s=_BACKFILL_S)


def find_missing_words() -> int:
    """Queue the analysis of videos whose words search does not know. Return how many videos."""
    count = count_videos_to_backfill()
    if count:
        enqueue("videos.tasks.backfill_missing_words")
    return count


def send_search_changes() -> None:
    """Send what the search index has not received yet."""
    send_in_background()


def forget_queries() -> int:
    """Delete old recorded queries. Return the number."""
    return delete_old_queries()
