"""Renew what depends on an edited transcript, in the spaces that search reads and in those that it will read."""

import structlog

from heimdex.embedders.errors import EmbedderUnavailable
from reprocess.actions.start_run import start_run
from reprocess.models import ReprocessItem, ReprocessRun
from reprocess.older_spec import older_active_spec
from reprocess.scope import Scope
from reprocess.spec import EffectiveSpec, effective_spec
from videos.models import SceneEmbedding, Video
from videos.scene_inputs import TEXT_CHANNELS

log = structlog.get_logger(__name__)


def renew_edited(video: Video) -> None:
    """Queue runs over the video's stale vectors. Call it in the transaction of the edit, so that none is ever forgotten.

    A coming space that holds nothing of the video yet is left to the run that will fill it. Where a model cannot be had, the scene is found
    by its new words, and any later run finds its vectors stale.
    """
    queued = _hold_back(video)
    latest = effective_spec()
    if _has_begun(video, latest):
        _renew(video, latest, queued)
    older = older_active_spec(video.owner_id)
    if older.spec:
        _renew(video, older.spec, queued)
    for problem in older.left_out:
        log.warning("An edited scene is not renewed in all spaces that its owner's search reads", reason=problem)


def _hold_back(video: Video) -> list[ReprocessItem]:
    """Return what is queued over the video; no worker can begin it before this transaction has ended, so it will read the new text."""
    queued = ReprocessItem.objects.filter(video=video, state=ReprocessItem.State.QUEUED, run__state__in=ReprocessRun.OPEN)
    return list(queued.select_for_update(of=("self",)).select_related("run").order_by("pk"))


def _has_begun(video: Video, spec: EffectiveSpec) -> bool:
    """Say whether the spec's spaces hold any text of the video, or a worker is about to write it as it was before."""
    prints = [configured.fingerprint(channel) for configured, channel in spec.channels() if channel in TEXT_CHANNELS]
    held = SceneEmbedding.objects.filter(scene__video=video, space__fingerprint__in=prints)
    at_work = ReprocessItem.objects.filter(video=video, state=ReprocessItem.State.RUNNING, run__spec=spec.digest)
    return held.exists() or at_work.exists()


def _renew(video: Video, spec: EffectiveSpec, queued: list[ReprocessItem]) -> None:
    if any(item.run.scope == ReprocessRun.Scope.VIDEO and item.run.spec_id == spec.digest for item in queued):
        return
    try:
        start_run(
            Scope("video", video_id=video.pk),
            force=False,
            entrance=ReprocessRun.Entrance.EDIT,
            requested_by=video.owner,
            automatic_cutover=_will_switch(video, spec),
            spec=spec,
        )
    except EmbedderUnavailable as error:
        log.warning("An edited scene is not renewed", video_id=str(video.pk), reason=str(error))


def _will_switch(video: Video, spec: EffectiveSpec) -> bool:
    """Say whether a run that switches search is at this video: it may leave the edited scene to ours, and then ours is the last to end."""
    unfinished = ReprocessRun.objects.filter(state__in=ReprocessRun.UNFINISHED, spec=spec.digest, automatic_cutover=True)
    return unfinished.filter(items__video=video).exists()
