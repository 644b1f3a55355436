"""Refresh the vectors that depend on an edited transcript, in the active and in the pending spaces."""

import structlog

from heimdex.errors import ModelUnavailable
from reprocess.models import ReprocessItem, ReprocessRun
from reprocess.planning.scope import Scope
from reprocess.runs.start_run import start_run
from reprocess.spec import EffectiveSpec, effective_spec
from reprocess.spec.historical import historical_active_spec
from videos.channels import SUMMARY, TRANSCRIPT, list_channels_reading
from videos.models import SceneEmbedding, Video

log = structlog.get_logger(__name__)


def refresh_edited(video: Video) -> None:
    """Queue runs over the video's stale vectors. Call it in the edit's transaction, so that no edit is lost.

    A pending space without rows of the video is left to the run that fills it. When a model is unavailable, full text search finds
    the new words, and the next run finds the stale vectors.
    """
    queued = _lock_queued(video)
    latest = effective_spec()
    if _has_begun(video, latest):
        _start_run(video, latest, queued)
    older = historical_active_spec(video.owner_id)
    if older.spec:
        _start_run(video, older.spec, queued)
    for problem in older.unavailable:
        log.warning("An edited scene is not refreshed in all active spaces of its owner", reason=problem)


def _lock_queued(video: Video) -> list[ReprocessItem]:
    """Lock the queued items of the video. No worker can acquire them before this transaction ends, so it will read the new text."""
    queued = ReprocessItem.objects.filter(video=video, state=ReprocessItem.State.QUEUED, run__state__in=ReprocessRun.OPEN)
    return list(queued.select_for_update(of=("self",)).select_related("run").order_by("pk"))


def _has_begun(video: Video, spec: EffectiveSpec) -> bool:
    """Return whether the spec's spaces have any text of the video, or a worker is about to write the old text."""
    edited = list_channels_reading(TRANSCRIPT, SUMMARY)
    prints = [configured.fingerprint(channel) for configured, channel in spec.channels() if channel in edited]
    rows = SceneEmbedding.objects.filter(scene__video=video, space__fingerprint__in=prints)
    running = ReprocessItem.objects.filter(video=video, state=ReprocessItem.State.RUNNING, run__spec=spec.digest)
    return rows.exists() or running.exists()


def _start_run(video: Video, spec: EffectiveSpec, queued: list[ReprocessItem]) -> None:
    if any(item.run.scope == ReprocessRun.Scope.VIDEO and item.run.spec_id == spec.digest for item in queued):
        return
    try:
        start_run(
            Scope("video", video_id=video.pk),
            force=False,
            entrance=ReprocessRun.EntryPoint.EDIT,
            requested_by=video.owner,
            automatic_cutover=_will_switch(video, spec),
            spec=spec,
        )
    except ModelUnavailable as error:
        log.warning("An edited scene is not refreshed", video_id=str(video.pk), reason=str(error))


def _will_switch(video: Video, spec: EffectiveSpec) -> bool:
    """Return whether an unfinished run over this video cuts over. It may leave the edited scene to our run, which then ends last."""
    unfinished = ReprocessRun.objects.filter(state__in=ReprocessRun.UNFINISHED, spec=spec.digest, automatic_cutover=True)
    return unfinished.filter(items__video=video).exists()
