"""Ask workers to take a video up, and ask again when nobody did."""

from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from heimdex.leases import forget_lapsed
from heimdex.queue import enqueue
from heimdex.storage import media_storage
from videos.models import Job, Video

log = structlog.get_logger(__name__)

# A wake-up that no worker answered for so long counts as lost. A long queue only costs one more, harmless, wake-up.
WAKE_AGAIN_AFTER = timedelta(minutes=10)
_MOST_AT_ONCE = 200

LOST = "The worker that was at this stage ended. It is tried again."
NEVER_ARRIVED = "The upload was not finished in time, so there is no file to process. Upload it again."


def start_ingest(video: Video) -> None:
    """Create the video's jobs anew and wake a worker, all in the current transaction."""
    Job.objects.filter(video=video).delete()
    Job.objects.bulk_create(_jobs(video))
    wake(video)


def add_new_stages(video: Video) -> None:
    """Give a video that was on its way while the installation gained stages their jobs, and every job its place.

    Stages behind the first new one are done again: they may build on what it finds.
    """
    jobs = Job.objects.filter(video=video)
    if _new_stages(video) is None:
        return
    with transaction.atomic():
        # Other workers may be at the same: whoever gets the rows second finds nothing to do.
        list(jobs.select_for_update().values_list("pk"))
        new = _new_stages(video)
        if new is None:
            return
        Job.objects.bulk_create(_jobs(video), update_conflicts=True, unique_fields=["video", "stage"], update_fields=["position"])
        if new:
            jobs.filter(state=Job.State.DONE, position__gt=min(new)).update(
                state=Job.State.QUEUED, progress=0.0, attempts=0, started_at=None, finished_at=None
            )
    log.info("Stages of this installation are new to the video", positions=new)


def _jobs(video: Video) -> list[Job]:
    return [Job(video=video, owner_id=video.owner_id, stage=stage, position=place) for place, stage in enumerate(settings.INGEST_STAGES)]


def _new_stages(video: Video) -> list[int] | None:
    """Return the places of the stages that a video has no jobs for; None when all its jobs are there, and in their places."""
    known = dict(Job.objects.filter(video=video).values_list("stage", "position"))
    if all(known.get(stage) == place for place, stage in enumerate(settings.INGEST_STAGES)):
        return None
    return [place for place, stage in enumerate(settings.INGEST_STAGES) if stage not in known]


def rescue() -> int:
    """Wake a worker for every video whose worker died, or whose wake-up was lost; end uploads that never came. Return how many."""
    now = timezone.now()
    _put_down_lost_stages()
    jobs = Job.objects.filter(video=OuterRef("pk"))
    rested = Exists(jobs.filter(state=Job.State.QUEUED, lease_expires_at__lt=now))
    at_work = Exists(jobs.filter(lease_expires_at__gte=now))
    asleep = Q(woken_at__lt=now - WAKE_AGAIN_AFTER)
    with transaction.atomic():
        stuck = list(
            Video.objects.filter(state__in=Video.MOVING)
            .filter(~at_work & (rested | asleep))
            .select_for_update(skip_locked=True)
            .order_by("created_at")[:_MOST_AT_ONCE]
        )
        # The pause that is over must not call for another rescue before the wake-up is answered.
        forget_lapsed(Job.objects.filter(video__in=stuck), now)
        for video in stuck:
            log.warning("Rescued a video that nobody works on", video_id=str(video.pk), state=video.state)
            wake(video)
    return len(stuck) + _end_expired_uploads()


def pause_after(attempts: int) -> timedelta:
    """Return how long a stage rests after so many attempts: longer after each, and not at all when no other follows."""
    return timedelta(seconds=settings.RETRY_AFTER_SECONDS * attempts) if attempts < settings.MAX_ATTEMPTS else timedelta()


def wake(video: Video) -> None:
    """Ask a worker to take the video up, once the current transaction commits."""
    Video.objects.filter(pk=video.pk).update(woken_at=timezone.now())
    enqueue("videos.tasks.ingest_video", str(video.pk))


def _put_down_lost_stages() -> None:
    """Queue again, after a pause, every stage whose worker no longer keeps its lease."""
    now = timezone.now()
    with transaction.atomic():
        lost = Job.objects.filter(state=Job.State.RUNNING, lease_expires_at__lt=now, video__state__in=Video.MOVING)
        for job in lost.select_for_update(skip_locked=True, of=("self",))[:_MOST_AT_ONCE]:
            log.warning("A stage has lost its worker", video_id=str(job.video_id), stage=job.stage, attempt=job.attempts)
            Job.objects.filter(pk=job.pk).update(
                state=Job.State.QUEUED, error=LOST, lease_token=None, lease_expires_at=now + pause_after(job.attempts)
            )


def _end_expired_uploads() -> int:
    expired = list(Video.objects.filter(state=Video.State.UPLOADING, upload_expires_at__lt=timezone.now())[:_MOST_AT_ONCE])
    for video in expired:
        ended = Video.objects.filter(pk=video.pk, state=Video.State.UPLOADING).update(
            state=Video.State.FAILED, error_code="upload_expired", error_text=NEVER_ARRIVED, updated_at=timezone.now()
        )
        if ended:
            media_storage().delete_prefix(video.storage_prefix)
    return len(expired)
