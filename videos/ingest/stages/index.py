"""Stage `index`: the video becomes findable."""

from django.utils import timezone

from videos.ingest.stage import StageContext
from videos.models import Video


def run(context: StageContext) -> None:
    """Mark the video as indexed; its words are in generated columns and its vectors in their spaces already."""
    with context.writing():
        Video.objects.filter(pk=context.video.pk).update(state=Video.State.INDEXED, error_code="", error_text="", updated_at=timezone.now())
