"""Videos whose processing has stopped before its end."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from heimdex.leases import WAKE_AGAIN_AFTER, clear_expired
from reprocess.reconcile.base import Check, Finding, IssueType
from videos.ingest.schedule import start_ingest, wake
from videos.models import Job, Video

STUCK = IssueType(
    "stuck_videos",
    "videos have waited for a worker longer than the rescue allows",
    "queues them again",
    "Workers are probably not running. manage.py status shows them; manage.py up (or work) starts them.",
)
JOBLESS = IssueType(
    "jobless_videos",
    "videos are being processed, but have no stage left to run",
    "restarts their processing",
    "Run reconcile --repair again.",
)
# The rescue acts after WAKE_AGAIN_AFTER. After twice that time, no rescue is running.
STUCK_AFTER = 2 * WAKE_AGAIN_AFTER


class UnfinishedVideos(Check):
    """Videos that the rescue should have queued again, and videos without a job, which it cannot find."""

    order = 60
    issue_types = (STUCK, JOBLESS)

    def find(self, owner_id: UUID | None) -> Iterator[Finding]:
        now = timezone.now()
        for issue_type, videos, repair in ((STUCK, _select_stuck(now), partial(_enqueue, now)), (JOBLESS, _select_jobless(), _restart)):
            if owner_id:
                videos = videos.filter(owner_id=owner_id)
            for key, title, email in videos.order_by("pk").values_list("pk", "title", "owner__email").iterator(chunk_size=500):
                yield Finding(issue_type, 1, f"{email}: “{title}” ({key})", partial(repair, key))


def _select_stuck(now: datetime) -> QuerySet[Video]:
    is_leased = Job.objects.filter(video=OuterRef("pk"), lease_expires_at__gte=now)
    is_asleep = Q(woken_at__isnull=True) | Q(woken_at__lt=now - STUCK_AFTER)
    return Video.objects.filter(is_asleep, ~Exists(is_leased), _has_open_job(), state__in=Video.PROCESSING_STATES)


def _select_jobless() -> QuerySet[Video]:
    return Video.objects.filter(~_has_open_job(), state__in=Video.PROCESSING_STATES)


def _has_open_job() -> Exists:
    return Exists(Job.objects.filter(video=OuterRef("pk"), state__in=(Job.State.QUEUED, Job.State.RUNNING)))


def _enqueue(now: datetime, video_id: UUID) -> int:
    with transaction.atomic():
        video = Video.objects.select_for_update(no_key=True).filter(pk__in=_select_stuck(now).filter(pk=video_id).values("pk")).first()
        if video is None:
            return 0
        # The expired lease must not trigger another rescue before a worker starts.
        clear_expired(Job.objects.filter(video=video), now)
        wake(video)
    return 1


def _restart(video_id: UUID) -> int:
    with transaction.atomic():
        video = Video.objects.select_for_update().filter(pk__in=_select_jobless().filter(pk=video_id).values("pk")).first()
        if video is None:
            return 0
        start_ingest(video)
    return 1


CHECK = UnfinishedVideos()
