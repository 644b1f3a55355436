"""Let owners refresh the search index of their own video, and cancel that."""

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from heimdex.accounts.models import User
from heimdex.errors import WrongState
from reprocess.actions.runs import cancel_run
from reprocess.models import ReprocessItem, ReprocessRun
from reprocess.planning.scope import Scope
from reprocess.runs.start_run import start_run
from reprocess.spec import effective_spec
from videos.models import Video

# Runs that an owner may start per hour: more than a person needs, and few enough that a script leaves workers for others.
MAX_PER_HOUR = 30
_HOUR = timedelta(hours=1)

NOT_INDEXED = "This video is {state}. It is added to the search index when processing is done."
NOTHING_TO_CANCEL = "You have not started an update of this video that is still running."


class TooManyRuns(Exception):
    """The owner has started MAX_PER_HOUR runs within an hour. The next one is allowed in `wait_s` seconds."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"You have started {MAX_PER_HOUR} updates within an hour. Try again later.")
        self.wait_s = wait_s


def refresh_video(owner: User, video_id: UUID, *, force: bool) -> ReprocessRun:
    """Start a run over an owner's video, or return the unfinished run that will do the same. Its cost limit is settings.MAX_RUN_COST.

    Raise Video.DoesNotExist for another owner's video, WrongState for a video that is not indexed, and TooManyRuns.
    """
    video = Video.objects.get(pk=video_id, owner=owner)
    if video.state != Video.State.INDEXED:
        raise WrongState(NOT_INDEXED.format(state=video.state))
    if joined := _find_unfinished(video, force=force):
        return joined
    with transaction.atomic():
        # Locked, so that two concurrent requests cannot both be the last one allowed.
        User.objects.select_for_update(no_key=True).get(pk=owner.pk)
        _check_rate(owner)
        scope = Scope("video", video_id=video.pk)
        return start_run(scope, force=force, entrance=ReprocessRun.EntryPoint.OWNER, requested_by=owner)


def cancel_refresh(owner: User, video_id: UUID) -> None:
    """Cancel the run that an owner has started over a video. Raise WrongState when the owner has no unfinished run over it."""
    run = ReprocessRun.objects.started_by(owner).filter(video=video_id, state__in=ReprocessRun.UNFINISHED).first()
    if run is None:
        raise WrongState(NOTHING_TO_CANCEL)
    cancel_run(run.pk)


def _find_unfinished(video: Video, *, force: bool) -> ReprocessRun | None:
    """Return an open run of any scope that has not finished this video, or None."""
    items = ReprocessItem.objects.filter(
        video=video, state__in=ReprocessItem.OPEN, run__state__in=ReprocessRun.OPEN, run__spec=effective_spec().digest
    )
    item = (items.filter(run__force=True) if force else items).select_related("run").order_by("-run__created_at").first()
    return item.run if item else None


def _check_rate(owner: User) -> None:
    since = timezone.now() - _HOUR
    recent = (
        ReprocessRun.objects.started_by(owner).filter(entrance=ReprocessRun.EntryPoint.OWNER, created_at__gt=since).order_by("-created_at")
    )
    times = list(recent.values_list("created_at", flat=True)[:MAX_PER_HOUR])
    if len(times) == MAX_PER_HOUR:
        raise TooManyRuns((times[-1] - since).total_seconds())
