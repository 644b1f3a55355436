"""Run a video's stages under leases, so that a crash costs at most the current stage."""

from functools import partial
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.models import F
from django.utils import timezone

from heimdex.leases import RELEASED, Lease, LeaseLost, build_requeue_update
from heimdex.media.errors import MediaError
from heimdex.outages.classify import OutageKind, find_outage
from heimdex.outages.database import wait_for_database
from heimdex.outages.deletions import delete_files_now
from heimdex.outages.models import NOT_WAITING, build_wait_update
from heimdex.outages.record import begin_outage, has_outage
from heimdex.outages.texts import FAILURE_CODES, FAILURE_TEXTS, WAITING_LABELS
from heimdex.redaction import hide_addresses
from videos.errors import IngestErrorCode
from videos.ingest.heartbeat import compute_time_limit, keep_lease
from videos.ingest.schedule import add_new_stages
from videos.ingest.stage import IngestError, SourceFile, Stage, StageContext
from videos.models import Job, Video, VideoMetadata
from videos.registry import list_stages

log = structlog.get_logger(__name__)

GAVE_UP = (
    "Processing stopped {attempts} times in the stage “{stage}”. The file may be damaged, or the server may be short of memory. "
    "You can retry."
)
HUNG = (
    "The stage “{stage}” took longer than {limit} and was stopped. The file may be damaged, or the server may be overloaded. You can retry."
)
INTERNAL_ERROR = (
    "An internal error occurred in the stage “{stage}”{reason} You can retry. If it happens again, give your administrator this video's id."
)
# The messages of these errors are written for people. Others name classes, keys and paths, and appear only in the log.
_READABLE_ERRORS = (ImproperlyConfigured, RuntimeError)


def ingest(video_id: UUID) -> None:
    """Run the remaining stages of a video, until all are done, one fails, or another worker has taken over."""
    with structlog.contextvars.bound_contextvars(video_id=str(video_id)):
        video = Video.objects.filter(pk=video_id, state__in=Video.PROCESSING_STATES).first()
        if video is None:
            log.info("Nothing to ingest: the video is deleted, failed or indexed")
            return
        add_new_stages(video)
        with SourceFile(video.original_key) as source:
            all(_run_stage(video, stage, source) for stage in list_stages())
        if not Video.objects.filter(pk=video_id).exists():
            # The video was deleted during its ingest. Files that this worker wrote after the deletion must go too.
            delete_files_now(video.storage_prefix)


def fail_ingest(video: Video, code: str, text: str) -> None:
    """End an ingest as failed, with a reason for the owner. Waiting stages never start, and running ones lose their lease."""
    # Jobs first: a running stage locks its job before the video.
    Job.objects.filter(video=video, state__in=(Job.State.QUEUED, Job.State.RUNNING)).update(
        state=Job.State.SKIPPED, finished_at=timezone.now(), **RELEASED
    )
    Video.objects.filter(pk=video.pk).update(state=Video.State.FAILED, error_code=code, error_text=text, updated_at=timezone.now())


def _run_stage(video: Video, stage: Stage, source: SourceFile) -> bool:
    """Run one stage. Return whether the next one may start."""
    acquired = _acquire_job(video, stage.name)
    if acquired is None:
        return Job.objects.filter(video=video, stage=stage.name, state=Job.State.DONE).exists()
    try:
        return _run_attempt(video, stage, source, *acquired)
    except LeaseLost:
        log.warning("Stage abandoned: another worker has taken over, or the video was deleted", stage=stage.name)
        return False


def _run_attempt(video: Video, stage: Stage, source: SourceFile, lease: Lease, job: Job) -> bool:
    """Run one attempt of a stage and record its result. Return whether the stage is done. Raise LeaseLost when the lease is lost."""
    if job.is_exhausted:
        _record_failure(lease, video, IngestErrorCode.GAVE_UP, GAVE_UP.format(attempts=settings.MAX_ATTEMPTS, stage=job.stage))
        return False
    if has_outage(OutageKind.STORAGE):
        # Nearly every stage reads the file. A storage that hangs would keep all workers busy.
        _wait(lease, job, OutageKind.STORAGE)
        return False
    limit_s = _compute_limit_s(video)
    try:
        with keep_lease(lease, limit_s, partial(_release_hung, lease, video, job, limit_s)):
            stage.run(StageContext(video, lease, source))
    except LeaseLost:
        raise
    except MediaError as error:
        _record_failure(lease, video, str(error.code), str(error))
        return False
    except IngestError as error:
        _record_failure(lease, video, error.code, str(error))
        return False
    except Exception as error:
        if not _wait_for_outage(lease, job, error):
            log.exception("Stage failed", stage=job.stage, attempt=job.attempts)
            _retry_or_fail(lease, video, job, *_describe_failure(job, error))
        return False
    lease.release(state=Job.State.DONE, progress=1.0, finished_at=timezone.now(), **NOT_WAITING)
    log.info("Stage done", stage=job.stage)
    return True


def _acquire_job(video: Video, name: str) -> tuple[Lease, Job] | None:
    rows = Job.objects.filter(video=video, stage=name, state__in=(Job.State.QUEUED, Job.State.RUNNING), waits_for="")
    lease, jobs = Lease.acquire(rows, 1, state=Job.State.RUNNING, started_at=timezone.now(), progress=0.0, error="")
    return (lease, jobs[0]) if jobs else None


def _compute_limit_s(video: Video) -> float:
    duration_s = VideoMetadata.objects.filter(video=video).values_list("duration_s", flat=True).first() or 0.0
    return compute_time_limit(settings.STAGE_SECONDS, settings.STAGE_RATIO, duration_s, video.size_bytes)


def _release_hung(lease: Lease, video: Video, job: Job, limit_s: float) -> None:
    limit = f"{limit_s / 60:.0f} minutes" if limit_s >= 120 else f"{limit_s:.0f} seconds"
    _retry_or_fail(lease, video, job, IngestErrorCode.TOOK_TOO_LONG, HUNG.format(stage=job.stage, limit=limit))


def _wait_for_outage(lease: Lease, job: Job, error: Exception) -> bool:
    """Let the stage wait for the end of the outage that caused an error. Return False for an error that is no outage.

    Raise the error when the database stays away, so that nothing can be recorded.
    """
    kind = find_outage(error)
    if kind is None or job.has_waited_enough:
        return False
    if kind is OutageKind.DATABASE:
        if not wait_for_database():
            # The lease expires, and the rescue task wakes another worker.
            raise error
        log.warning("Stage interrupted: the database was away", stage=job.stage, reason=str(error).strip())
        _release_uncounted(lease, lease_expires_at=timezone.now())
    else:
        begin_outage(kind, str(error))
        _wait(lease, job, kind)
    return True


def _describe_failure(job: Job, error: Exception) -> tuple[str, str]:
    """Return the code and the sentence for an error that is ours, or that stays although nothing is away."""
    if kind := find_outage(error):
        return FAILURE_CODES[kind], FAILURE_TEXTS[kind]
    return IngestErrorCode.INTERNAL_ERROR, INTERNAL_ERROR.format(stage=job.stage, reason=_format_reason(error))


def _wait(lease: Lease, job: Job, kind: OutageKind) -> None:
    log.info("Stage waits for the end of an outage", stage=job.stage, kind=str(kind))
    _release_uncounted(lease, error=f"{WAITING_LABELS[kind]}.", **build_wait_update(job, kind))


def _release_uncounted(lease: Lease, **changes: Any) -> None:
    """Release the stage. The attempt does not count, because the stage did not fail."""
    lease.release(state=Job.State.QUEUED, attempts=F("attempts") - 1, **changes)


def _retry_or_fail(lease: Lease, video: Video, job: Job, code: str, text: str) -> None:
    if job.is_last_attempt:
        _record_failure(lease, video, code, text)
        return
    lease.release(state=Job.State.QUEUED, error=text, **build_requeue_update(job.attempts))


def _record_failure(lease: Lease, video: Video, code: str, reason: str) -> None:
    text = hide_addresses(reason)
    with lease.transaction():
        lease.release(state=Job.State.FAILED, error=text, finished_at=timezone.now())
        fail_ingest(video, code, text)
    log.warning("Ingest failed", code=code, reason=reason)


def _format_reason(error: Exception) -> str:
    """Return the end of a sentence with the error's reason, if a person can read it."""
    text = next(iter(str(error).strip().splitlines()), "") if isinstance(error, _READABLE_ERRORS) else ""
    return f": {hide_addresses(text).removesuffix('.')}." if text else "."
