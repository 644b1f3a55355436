"""Stage `index`: the video becomes findable."""

from django.utils import timezone

from videos.ingest.stage import StageContext
from videos.models import Job, Video


def run(context: StageContext) -> None:
    """Mark the video as indexed; its words are in generated columns and its vectors in their spaces already."""
    now = timezone.now()
    with context.writing():
        # Together, because nobody would come back to an indexed video for a job that a dead worker left running.
        Job.objects.filter(lease_token=context.token).update(state=Job.State.DONE, progress=1.0, finished_at=now)
        Video.objects.filter(pk=context.video.pk).update(state=Video.State.INDEXED, error_code="", error_text="", updated_at=now)
