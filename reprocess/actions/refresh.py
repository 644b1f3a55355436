"""Refresh the search index of a video when its owner asks for it, or after an edit."""

from collections.abc import Collection
from uuid import UUID

import structlog
from django.db import transaction

from heimdex.accounts.models import User
from heimdex.accounts.rate_limits import spend
from heimdex.errors import ModelUnavailable, WrongState
from reprocess.actions.runs import cancel_run
from reprocess.models import ReprocessItem, ReprocessRun
from reprocess.planning.scope import Scope
from reprocess.runs.requests import start_run
from reprocess.spec import EffectiveSpec, get_effective_spec
from reprocess.spec.historical import build_historical_spec
from videos.channels import Source, list_channels_reading
from videos.models import SceneEmbedding, Video

log = structlog.get_logger(__name__)
NOT_INDEXED = "This video is {state}. It is added to the search index when processing is done."
NOTHING_TO_CANCEL = "You have no unfinished update of this video."


def refresh_video(owner: User, video_id: UUID, *, force: bool) -> ReprocessRun:
    """Start a run over an owner's video, or return the unfinished run that already includes it. Its cost limit is settings.MAX_RUN_COST.

    Raise Video.DoesNotExist for another owner's video, WrongState for a video that is not indexed, and RateExceeded.
    """
    video = Video.objects.get(pk=video_id, owner=owner)
    if video.state != Video.State.INDEXED:
        raise WrongState(NOT_INDEXED.format(state=video.state))
    if unfinished := _find_unfinished(video, force=force):
        return unfinished
    # A run that cannot be started does not count.
    with transaction.atomic():
        spend("reprocess", owner.pk)
        return start_run(Scope("video", video_id=video.pk), force=force, entry_point=ReprocessRun.EntryPoint.OWNER, requested_by=owner)


def cancel_refresh(owner: User, video_id: UUID) -> None:
    """Cancel the run that an owner has started over a video. Raise WrongState when the owner has no unfinished run over it."""
    run = ReprocessRun.objects.filter_started_by(owner).filter(video=video_id, state__in=ReprocessRun.UNFINISHED).first()
    if run is None:
        raise WrongState(NOTHING_TO_CANCEL)
    cancel_run(run.pk)


def refresh_edited(video: Video, sources: Collection[Source]) -> None:
    """Queue runs over the vectors of a video that an edit of `sources` has made stale. Call it in the edit's transaction.

    A pending space without rows of the video is left to the run that fills it. When a model is unavailable, full text search finds
    the new words, and the next run finds the stale vectors.
    """
    queued = _lock_queued(video)
    latest = get_effective_spec()
    if _has_begun(video, latest, sources):
        _start_run(video, latest, queued)
    older = build_historical_spec(video.owner_id)
    if older.spec:
        _start_run(video, older.spec, queued)
    for problem in older.unavailable:
        log.warning("An edited video is not refreshed in all active spaces of its owner", reason=problem)


def _find_unfinished(video: Video, *, force: bool) -> ReprocessRun | None:
    """Return an open run of any scope that has not finished this video. Return None when there is none."""
    items = ReprocessItem.objects.filter(
        video=video,
        state__in=ReprocessItem.OPEN,
        run__state__in=ReprocessRun.OPEN,
        run__spec=get_effective_spec().digest,
        run__trial__isnull=True,
    )
    item = (items.filter(run__force=True) if force else items).select_related("run").order_by("-run__created_at").first()
    return item.run if item else None


def _lock_queued(video: Video) -> list[ReprocessItem]:
    """Lock the queued items of the video, so that their workers start after this transaction and read the new content."""
    queued = ReprocessItem.objects.filter(video=video, state=ReprocessItem.State.QUEUED, run__state__in=ReprocessRun.OPEN)
    return list(queued.select_for_update(of=("self",)).select_related("run__trial").order_by("pk"))


def _has_begun(video: Video, spec: EffectiveSpec, sources: Collection[Source]) -> bool:
    """Return whether the spec's spaces have vectors of these sources, or a worker is about to write some."""
    edited = list_channels_reading(*sources)
    prints = [configured.compute_fingerprint(channel) for configured, channel in spec.list_channels() if channel in edited]
    rows = SceneEmbedding.objects.filter(scene__video=video, space__fingerprint__in=prints)
    running = ReprocessItem.objects.filter(video=video, state=ReprocessItem.State.RUNNING, run__spec=spec.digest)
    return rows.exists() or running.exists()


def _start_run(video: Video, spec: EffectiveSpec, queued: list[ReprocessItem]) -> None:
    if any(item.run.scope == ReprocessRun.Scope.VIDEO and item.run.spec_id == spec.digest and not item.run.is_trial for item in queued):
        return
    try:
        start_run(
            Scope("video", video_id=video.pk),
            force=False,
            entry_point=ReprocessRun.EntryPoint.EDIT,
            requested_by=video.owner,
            automatic_cutover=_has_switching_run(video, spec),
            spec=spec,
        )
    except ModelUnavailable as error:
        log.warning("An edited video is not refreshed", video_id=str(video.pk), reason=str(error))


def _has_switching_run(video: Video, spec: EffectiveSpec) -> bool:
    """Return whether an unfinished run over this video cuts over. The new run may end after it, and must then cut over itself."""
    unfinished = ReprocessRun.objects.filter(state__in=ReprocessRun.UNFINISHED, spec=spec.digest, automatic_cutover=True)
    return unfinished.filter(items__video=video).exists()
