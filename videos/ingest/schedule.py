"""Queue the ingest of videos, and rescue videos that no worker processes."""

from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from heimdex.leases import requeue_lost, wake_stuck
from heimdex.outages.models import filter_resumable
from heimdex.queue import enqueue
from heimdex.uploads.flow import end_expired_uploads
from videos.errors import IngestErrorCode
from videos.models import Job, Video
from videos.registry import list_stages
from videos.search.lexical.handler import get_lexical_backend

log = structlog.get_logger(__name__)

WORKER_LOST = "The worker of this stage stopped. The stage will be tried again."
FILE_NEVER_ARRIVED = "The upload was not finished in time. Upload the file again."


def start_ingest(video: Video) -> None:
    """Replace the video's jobs, remove its scenes from the lexical index, and wake a worker, in the current transaction."""
    Job.objects.filter(video=video).delete()
    Job.objects.bulk_create(_build_jobs(video))
    get_lexical_backend().delete(video.list_scene_ids())
    wake(video)


def add_new_stages(video: Video) -> None:
    """Create the missing jobs of a video that was uploaded before the installation gained stages, and renumber all its jobs.

    Stages after the first new one run again, because they may use its results.
    """
    jobs = Job.objects.filter(video=video)
    if _list_new_stages(video) is None:
        return
    with transaction.atomic():
        # If two workers do this at once, the second has nothing left to do.
        list(jobs.select_for_update().values_list("pk"))
        new = _list_new_stages(video)
        if new is None:
            return
        Job.objects.bulk_create(_build_jobs(video), update_conflicts=True, unique_fields=["video", "stage"], update_fields=["position"])
        if new:
            jobs.filter(state=Job.State.DONE, position__gt=min(new)).update(
                state=Job.State.QUEUED, progress=0.0, attempts=0, started_at=None, finished_at=None
            )
    log.info("Added the jobs of new stages to a video", positions=new)


def _build_jobs(video: Video) -> list[Job]:
    return [Job(video=video, owner_id=video.owner_id, stage=stage.name, position=place) for place, stage in enumerate(list_stages())]


def _list_new_stages(video: Video) -> list[int] | None:
    """Return the positions of the stages without a job. Return None when every stage has a job at its position."""
    known = dict(Job.objects.filter(video=video).values_list("stage", "position"))
    if all(known.get(stage.name) == place for place, stage in enumerate(list_stages())):
        return None
    return [place for place, stage in enumerate(list_stages()) if stage.name not in known]


def rescue() -> int:
    """Wake a worker for every video whose worker died or whose task was lost, and end expired uploads. Return the number of both."""
    now = timezone.now()
    jobs = Job.objects.filter(video__state__in=Video.PROCESSING_STATES)
    requeue_lost(jobs.filter(state=Job.State.RUNNING), state=Job.State.QUEUED, error=WORKER_LOST)
    resumed = _resume(jobs, now)
    waiting = Job.objects.filter(video=OuterRef("pk")).exclude(waits_for="")
    videos = Video.objects.filter(~Exists(waiting), state__in=Video.PROCESSING_STATES)
    woken = wake_stuck(videos, jobs, "video", wake, now)
    return resumed + woken + end_expired_uploads(Video.objects.filter(state=Video.State.UPLOADING), _expire)


def _resume(jobs: QuerySet[Job], now: datetime) -> int:
    """Wake a worker for every video whose outage is over. Return how many videos."""
    with transaction.atomic():
        resumable = filter_resumable(jobs, now).select_related("video").select_for_update(skip_locked=True, of=("self",))
        resumed = list(resumable)
        Job.objects.filter(pk__in=[job.pk for job in resumed]).update(waits_for="", waits_until=None, error="")
        for job in resumed:
            wake(job.video)
    return len(resumed)


def wake(video: Video) -> None:
    """Queue the ingest of a video when the current transaction commits."""
    Video.objects.filter(pk=video.pk).update(woken_at=timezone.now())
    enqueue("videos.tasks.ingest_video", str(video.pk))


def _expire(video: Video) -> None:
    video.state = Video.State.FAILED
    video.error_code, video.error_text = IngestErrorCode.UPLOAD_EXPIRED, FILE_NEVER_ARRIVED
    video.updated_at = timezone.now()
    video.save(update_fields=["state", "error_code", "error_text", "updated_at"])
