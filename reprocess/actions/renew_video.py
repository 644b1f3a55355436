"""Owners renew the search data of their own video, and may take that back."""

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from heimdex.accounts.models import User
from reprocess.actions.cancel_run import cancel_run
from reprocess.actions.errors import WrongState
from reprocess.actions.start_run import start_run
from reprocess.models import ReprocessItem, ReprocessRun
from reprocess.models.run import RunQuerySet
from reprocess.scope import Scope
from reprocess.spec import effective_spec
from videos.models import Video

# How many runs an owner may start within an hour: more than a person needs, and few enough that a script keeps no worker from others.
MOST_PER_HOUR = 30
_HOUR = timedelta(hours=1)

NOT_INDEXED = "This video is {state}, so there is nothing to renew yet. Its search data is made while it is processed."
NOT_YOURS = "Nothing that you have started for this video is under way, so there is nothing to cancel."


class TooOften(Exception):
    """The owner has started as many runs as an hour may see; `wait_s` says for how many seconds there is no other."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"You have started {MOST_PER_HOUR} renewals within an hour. Wait a while before the next one.")
        self.wait_s = wait_s


def renew_video(owner: User, video_id: UUID, *, force: bool) -> ReprocessRun:
    """Start a run over an owner's video, or return the one that will do the same for it already.

    It may cost settings.MAX_RUN_COST. Video.DoesNotExist for another owner's; WrongState for a video that is not indexed; TooOften.
    """
    video = Video.objects.get(pk=video_id, owner=owner)
    if video.state != Video.State.INDEXED:
        raise WrongState(NOT_INDEXED.format(state=video.state))
    if joined := _under_way(video, force=force):
        return joined
    with transaction.atomic():
        # One request after the other, or two at once would both be the last that is allowed.
        User.objects.select_for_update(no_key=True).get(pk=owner.pk)
        _require_patience(owner)
        scope = Scope("video", video_id=video.pk)
        return start_run(scope, force=force, entrance=ReprocessRun.Entrance.OWNER, requested_by=owner)


def cancel_renewal(owner: User, video_id: UUID) -> None:
    """Cancel what an owner has started for a video; WrongState when that is nothing, or is done. Another's run is never touched."""
    run = started_by(owner).filter(video=video_id, state__in=ReprocessRun.UNFINISHED).first()
    if run is None:
        raise WrongState(NOT_YOURS)
    cancel_run(run.pk)


def started_by(owner: User) -> RunQuerySet:
    """Return the runs that an owner has started as an owner, each over one video."""
    entrances = (ReprocessRun.Entrance.OWNER, ReprocessRun.Entrance.EDIT)
    return ReprocessRun.objects.filter(requested_by=owner, scope=ReprocessRun.Scope.VIDEO, entrance__in=entrances)


def _under_way(video: Video, *, force: bool) -> ReprocessRun | None:
    """Return an open run of any scope that has this video still before it, or is at it."""
    items = ReprocessItem.objects.filter(
        video=video, state__in=ReprocessItem.OPEN, run__state__in=ReprocessRun.OPEN, run__spec=effective_spec().digest
    )
    item = (items.filter(run__force=True) if force else items).select_related("run").order_by("-run__created_at").first()
    return item.run if item else None


def _require_patience(owner: User) -> None:
    since = timezone.now() - _HOUR
    recent = started_by(owner).filter(entrance=ReprocessRun.Entrance.OWNER, created_at__gt=since).order_by("-created_at")
    times = list(recent.values_list("created_at", flat=True)[:MOST_PER_HOUR])
    if len(times) == MOST_PER_HOUR:
        raise TooOften((times[-1] - since).total_seconds())
