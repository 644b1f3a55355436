"""Run a video's stages under leases, so that a crash costs at most the stage it happened in."""

from functools import partial
from uuid import UUID

import structlog
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, transaction
from django.utils import timezone

from heimdex.embedders.errors import EmbedderUnavailable
from heimdex.leases import LET_GO, LeaseLost, claim, hold
from heimdex.media.errors import MediaError
from heimdex.storage import StorageError, media_storage
from videos.ingest.errors import IngestError
from videos.ingest.heartbeat import kept_alive
from videos.ingest.limits import stage_limit_s
from videos.ingest.schedule import add_new_stages, pause_after
from videos.ingest.source import SourceFile
from videos.ingest.stage import Stage, StageContext, stages
from videos.models import Job, Video, VideoMetadata

log = structlog.get_logger(__name__)

GAVE_UP = (
    "Processing stopped {attempts} times in the stage “{stage}”. The file may be damaged in an unusual way, "
    "or the server short of memory. You can retry."
)
HUNG = (
    "The stage “{stage}” took longer than {limit} and was stopped. The file may be damaged in an unusual way, "
    "or the server overloaded. You can retry."
)
BROKE = (
    "Something went wrong on our side in the stage “{stage}”{reason} You can retry; if it happens again, "
    "give your administrator this video's id."
)
# What these say is written for a person; other errors name classes, keys and paths, and only the log tells them.
_TELLING = (EmbedderUnavailable, ImproperlyConfigured, StorageError, RuntimeError)


def ingest(video_id: UUID) -> None:
    """Run every stage of a video that is not done yet; return when all are, one failed, or another worker is at it."""
    with structlog.contextvars.bound_contextvars(video_id=str(video_id)):
        video = Video.objects.filter(pk=video_id, state__in=Video.MOVING).first()
        if video is None:
            log.info("Nothing to ingest: the video is gone, failed or indexed")
            return
        add_new_stages(video)
        with SourceFile(video.original_key) as source:
            all(_run_stage(video, name, stage, source) for name, stage in stages().items())
        if not Video.objects.filter(pk=video_id).exists():
            # Deleted while we worked: what this worker wrote after the deletion must go too.
            media_storage().delete_prefix(video.storage_prefix)


def fail(video: Video, code: str, text: str) -> None:
    """End an ingest as failed, with the reason its owner reads; what has not begun never does, and what runs may write no more."""
    # Before the video, which stages that run lock after their own row.
    Job.objects.filter(video=video, state__in=(Job.State.QUEUED, Job.State.RUNNING)).update(
        state=Job.State.SKIPPED, finished_at=timezone.now(), **LET_GO
    )
    Video.objects.filter(pk=video.pk).update(state=Video.State.FAILED, error_code=code, error_text=text, updated_at=timezone.now())


def _run_stage(video: Video, name: str, stage: Stage, source: SourceFile) -> bool:
    """Run one stage; return whether the next may begin."""
    claimed = _claim(video, name)
    if claimed is None:
        return Job.objects.filter(video=video, stage=name, state=Job.State.DONE).exists()
    try:
        return _attempt(video, stage, source, *claimed)
    except LeaseLost:
        log.warning("Stage abandoned: another worker holds it, or the video was deleted", stage=name)
        return False


def _attempt(video: Video, stage: Stage, source: SourceFile, token: UUID, job: Job) -> bool:
    """Run one claimed stage and record its end; return whether it is done. LeaseLost when the end is no longer ours to record."""
    if job.attempts > settings.MAX_ATTEMPTS:
        _end(token, video, "gave_up", GAVE_UP.format(attempts=settings.MAX_ATTEMPTS, stage=job.stage))
        return False
    limit_s = _limit_s(video)
    try:
        with kept_alive(token, limit_s, partial(_put_down_hung, token, video, job, limit_s)):
            stage(StageContext(video, token, source))
    except LeaseLost:
        raise
    except MediaError as error:
        _end(token, video, str(error.code), str(error))
        return False
    except IngestError as error:
        _end(token, video, error.code, str(error))
        return False
    except DatabaseError:
        # Nothing can be recorded now; the lease runs out and the rescue task takes the video up again.
        raise
    except Exception as error:
        log.exception("Stage failed", stage=job.stage, attempt=job.attempts)
        _retry_or_end(token, video, job, "internal_error", BROKE.format(stage=job.stage, reason=_reason(error)))
        return False
    Job.objects.filter(lease_token=token).update(state=Job.State.DONE, progress=1.0, finished_at=timezone.now(), **LET_GO)
    log.info("Stage done", stage=job.stage)
    return True


def _claim(video: Video, name: str) -> tuple[UUID, Job] | None:
    with transaction.atomic():
        rows = Job.objects.filter(video=video, stage=name, state__in=(Job.State.QUEUED, Job.State.RUNNING))
        token, jobs = claim(rows, 1, state=Job.State.RUNNING, started_at=timezone.now(), progress=0.0, error="")
    return (token, jobs[0]) if jobs else None


def _limit_s(video: Video) -> float:
    duration_s = VideoMetadata.objects.filter(video=video).values_list("duration_s", flat=True).first() or 0.0
    return stage_limit_s(settings.STAGE_SECONDS, settings.STAGE_RATIO, duration_s, video.size_bytes)


def _put_down_hung(token: UUID, video: Video, job: Job, limit_s: float) -> None:
    limit = f"{limit_s / 60:.0f} minutes" if limit_s >= 120 else f"{limit_s:.0f} seconds"
    _retry_or_end(token, video, job, "took_too_long", HUNG.format(stage=job.stage, limit=limit))


def _retry_or_end(token: UUID, video: Video, job: Job, code: str, text: str) -> None:
    if job.attempts >= settings.MAX_ATTEMPTS:
        _end(token, video, code, text)
        return
    Job.objects.filter(lease_token=token).update(
        state=Job.State.QUEUED, error=text, lease_token=None, lease_expires_at=timezone.now() + pause_after(job.attempts)
    )


def _end(token: UUID, video: Video, code: str, text: str) -> None:
    with transaction.atomic():
        hold(Job, token)
        Job.objects.filter(lease_token=token).update(state=Job.State.FAILED, error=text, finished_at=timezone.now(), **LET_GO)
        fail(video, code, text)
    log.warning("Ingest failed", code=code, reason=text)


def _reason(error: Exception) -> str:
    """Return the end of a sentence that gives the error's reason, where it has one that a person can read."""
    text = next(iter(str(error).strip().splitlines()), "") if isinstance(error, _TELLING) else ""
    return f": {text.removesuffix('.')}." if text else "."
