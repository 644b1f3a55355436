"""Retry failed videos of all owners, for operators. The command `retry_failed` and the admin share this."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.utils import timezone

from heimdex.leases import RELEASED
from heimdex.media.errors import MediaErrorCode
from heimdex.outages.models import NOT_WAITING
from videos.errors import NOT_RETRYABLE, IngestErrorCode
from videos.ingest.schedule import wake
from videos.models import Job, Video

_BATCH = 200


@dataclass(frozen=True)
class FailureFilter:
    """Which failures to retry; empty fields match all. `since` is when they failed."""

    stage: str = ""
    error_code: str = ""
    since: datetime | None = None
    owner_id: UUID | None = None


@dataclass(frozen=True)
class RetryCounts:
    """How many were (or would be) retried, by error code, and how many were left out because a retry cannot succeed."""

    retried: dict[str, int]
    left_out: dict[str, int]

    @property
    def total(self) -> int:
        """The number of retried ones."""
        return sum(self.retried.values())


def list_video_error_codes() -> list[str]:
    """Return the error codes that a failed video can have: those of Heimdex, and those of added stages that a failed video has."""
    present = Video.objects.filter(state=Video.State.FAILED).order_by().values_list("error_code", flat=True).distinct()
    return sorted({*MediaErrorCode, *IngestErrorCode, *present} - {MediaErrorCode.NOT_AN_IMAGE, ""})


def filter_failed_videos(failures: FailureFilter) -> QuerySet[Video]:
    """Return the failed videos that match."""
    videos = Video.objects.filter(state=Video.State.FAILED)
    if failures.stage:
        videos = videos.filter(Exists(Job.objects.filter(video=OuterRef("pk"), stage=failures.stage, state=Job.State.FAILED)))
    if failures.error_code:
        videos = videos.filter(error_code=failures.error_code)
    if failures.since:
        videos = videos.filter(updated_at__gte=failures.since)
    return videos.filter(owner=failures.owner_id) if failures.owner_id else videos


def retry_failed_videos(videos: QuerySet[Video], *, everything: bool = False, dry_run: bool = False) -> RetryCounts:
    """Let failed videos continue at the stage that failed, with all their attempts. Others among the videos are not changed.

    Videos whose retry cannot succeed with the same file are left out, unless `everything`; those whose file never arrived always are.
    """
    failed = Video.objects.filter(pk__in=videos.order_by().values("pk"), state=Video.State.FAILED)
    unusable = {IngestErrorCode.UPLOAD_EXPIRED} if everything else NOT_RETRYABLE
    retryable = failed.exclude(error_code__in=unusable)
    counts = RetryCounts(count_codes(retryable), count_codes(failed.filter(error_code__in=unusable)))
    if not dry_run:
        for ids in _split(list(retryable.values_list("pk", flat=True))):
            _continue(ids)
    return counts


def count_codes(rows: QuerySet[Video]) -> dict[str, int]:
    """Return how many rows have each error code."""
    return dict(rows.order_by("error_code").values("error_code").annotate(number=Count("pk")).values_list("error_code", "number"))


def _split(ids: list[UUID]) -> Iterator[list[UUID]]:
    return (ids[start : start + _BATCH] for start in range(0, len(ids), _BATCH))


def _continue(ids: list[UUID]) -> None:
    now = timezone.now()
    again = {"error_code": "", "error_text": "", "updated_at": now}
    with transaction.atomic():
        # Locked, so that an owner's retry at the same time is not undone.
        videos = list(Video.objects.select_for_update(of=("self",)).filter(pk__in=ids, state=Video.State.FAILED).order_by("pk"))
        locked = Video.objects.filter(pk__in=[video.pk for video in videos])
        Job.objects.filter(video__in=videos, state__in=(Job.State.FAILED, Job.State.SKIPPED)).update(
            state=Job.State.QUEUED, progress=0.0, attempts=0, error="", started_at=None, finished_at=None, **RELEASED, **NOT_WAITING
        )
        is_probed = Exists(Job.objects.filter(video=OuterRef("pk"), stage="probe", state=Job.State.DONE))
        locked.filter(is_probed).update(state=Video.State.PROCESSING, **again)
        locked.filter(state=Video.State.FAILED).update(state=Video.State.VALIDATING, **again)
        for video in videos:
            wake(video)
