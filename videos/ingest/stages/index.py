"""Stage `index`: make the video searchable."""

from django.utils import timezone

from videos.ingest.stage import Stage, StageContext
from videos.models import Job, Video
from videos.search.lexical.handler import get_lexical_backend


def run(context: StageContext) -> None:
    """Index the words of the video's scenes and mark it as indexed. Its vectors are in their spaces already."""
    now = timezone.now()
    with context.transaction():
        # In one transaction, so that an indexed video never has a running job, which the rescue would queue again.
        context.lease.rows.update(state=Job.State.DONE, progress=1.0, finished_at=now)
        Video.objects.filter(pk=context.video.pk).update(state=Video.State.INDEXED, error_code="", error_text="", updated_at=now)
        get_lexical_backend().index(context.video.list_scene_ids())


STAGE = Stage("index", order=90, label="Adding to search", run=run)
