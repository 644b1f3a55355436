"""Videos that are on their way, but that nobody takes further."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from heimdex.leases import forget_lapsed
from reprocess.reconcile.base import Check, Finding, Kind
from videos.ingest.schedule import WAKE_AGAIN_AFTER, start_ingest, wake
from videos.models import Job, Video

STUCK = Kind(
    "stuck_videos",
    "videos wait for a worker for longer than the rescue of workers allows",
    "wakes a worker for them",
    "Workers seem not to run: manage.py status tells, manage.py up (or work) starts them.",
)
JOBLESS = Kind(
    "jobless_videos",
    "videos are being processed, but no stage of them is left to do",
    "begins their processing anew",
    "Run reconcile --repair again.",
)
# The rescue wakes a worker after WAKE_AGAIN_AFTER; twice that long, and nobody rescues.
STUCK_AFTER = 2 * WAKE_AGAIN_AFTER


class MovingVideos(Check):
    """What the rescue looks for, and what it cannot see."""

    order = 60
    kinds = (STUCK, JOBLESS)

    def find(self, owner_id: UUID | None) -> Iterator[Finding]:
        now = timezone.now()
        for kind, videos, repair in ((STUCK, _stuck(now), partial(_wake, now)), (JOBLESS, _jobless(), _begin_anew)):
            if owner_id:
                videos = videos.filter(owner_id=owner_id)
            for key, title, email in videos.order_by("pk").values_list("pk", "title", "owner__email").iterator(chunk_size=500):
                yield Finding(kind, 1, f"{email}: “{title}” ({key})", partial(repair, key))


def _stuck(now: datetime) -> QuerySet[Video]:
    at_work = Job.objects.filter(video=OuterRef("pk"), lease_expires_at__gte=now)
    asleep = Q(woken_at__isnull=True) | Q(woken_at__lt=now - STUCK_AFTER)
    return Video.objects.filter(asleep, ~Exists(at_work), _has_open_job(), state__in=Video.MOVING)


def _jobless() -> QuerySet[Video]:
    return Video.objects.filter(~_has_open_job(), state__in=Video.MOVING)


def _has_open_job() -> Exists:
    return Exists(Job.objects.filter(video=OuterRef("pk"), state__in=(Job.State.QUEUED, Job.State.RUNNING)))


def _wake(now: datetime, video_id: UUID) -> int:
    with transaction.atomic():
        video = Video.objects.select_for_update(no_key=True).filter(pk__in=_stuck(now).filter(pk=video_id).values("pk")).first()
        if video is None:
            return 0
        # As the rescue does: the lapsed lease must not call for another rescue before the wake-up is answered.
        forget_lapsed(Job.objects.filter(video=video), now)
        wake(video)
    return 1


def _begin_anew(video_id: UUID) -> int:
    with transaction.atomic():
        video = Video.objects.select_for_update().filter(pk__in=_jobless().filter(pk=video_id).values("pk")).first()
        if video is None:
            return 0
        start_ingest(video)
    return 1


CHECK = MovingVideos()
