"""The videos that wait for a worker."""

from heimdex.backlog import WorkCount, count_work
from videos.models import Job, Video


def count_videos() -> WorkCount:
    """Count the videos that are being ingested or wait for it."""
    return count_work(Video.objects.filter(state__in=Video.PROCESSING_STATES), Job.objects.all(), "video", "updated_at")
