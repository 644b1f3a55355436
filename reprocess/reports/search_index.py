"""The status of a video's search index as its owner sees it: own scenes and failures, and nothing else of the run."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, FilteredRelation, Q
from django.template.defaultfilters import pluralize

from heimdex.accounts.models import User
from heimdex.outages.texts import describe_wait
from heimdex.redaction import hide_addresses
from reprocess.models import ReprocessFailure, ReprocessItem, ReprocessRun
from reprocess.planning.targets import SCENES
from reprocess.reports.runs import count_filled_videos
from reprocess.spec import EffectiveSpec, get_effective_spec
from videos.models import EmbeddingRow, EmbeddingSpace, Scene, Video

MAX_FAILURES = 50
IN_PROGRESS = ("queued", "running")
UNFINISHED = (*IN_PROGRESS, "paused")

_MESSAGES = {
    "queued": "Waiting for a worker.",
    "running": "Updating: {current} of {parts} {is_current} done.",
    "paused": "The update is paused. It continues when an administrator resumes it.",
    "failed": "{missing} of {parts} could not be updated. Search finds the rest.",
    "cancelled": "The update was canceled. {current} of {parts} {is_current} up to date.",
}
_UP_TO_DATE = "The search index of this video is up to date."
_OUT_OF_DATE = "{missing} of {parts} of this video's search index {is_missing} out of date."
_COST_LIMIT = "The update is paused because it reached the cost limit. An administrator can resume it, or you can cancel it."
_CUTOVER = (
    "{filled} of {videos} of your videos {is_filled} ready for the new search. "
    "It starts when all are ready. Until then, search works as before."
)


@dataclass(frozen=True)
class ChannelStatus:
    """A video's scenes in one channel, counted: all, up to date (embedded or empty), and failed."""

    step: str
    channel: str
    scenes: int
    current: int
    failed: int


@dataclass(frozen=True)
class SearchIndexStatus:
    """The status of a video's search index. `state` is none, queued, running, paused, succeeded, failed or cancelled.

    `progress` is the share of the update that is done, in percent; once it has failed, the share that is up to date.
    `cutover_notice` says when search switches to the new spaces. It is empty when no switch is pending.
    """

    state: str
    message: str
    progress: int
    cutover_notice: str
    channels: tuple[ChannelStatus, ...]
    failures: tuple[ReprocessFailure, ...]
    started_by_you: bool
    can_cancel: bool
    finished_at: datetime | None

    @property
    def is_in_progress(self) -> bool:
        """Whether an update is queued or running."""
        return self.state in IN_PROGRESS


def get_search_index_status(owner: User, video: Video) -> SearchIndexStatus:
    """Return the status of a video by its open run item, or else by its last one."""
    spec = get_effective_spec()
    items = ReprocessItem.objects.filter(video=video, run__trial__isnull=True).select_related("run").order_by("-run__created_at")
    item = items.filter(state__in=ReprocessItem.OPEN, run__state__in=ReprocessRun.UNFINISHED).first() or items.first()
    state = _determine_state(item)
    channels = _count_channels(video, spec, item.run if item and item.run.force and state in UNFINISHED else None)
    is_own = bool(item and ReprocessRun.objects.filter_started_by(owner).filter(pk=item.run_id).exists())
    return SearchIndexStatus(
        state=state,
        message=_format_message(state, item, channels),
        progress=_measure_progress(state, item, video, spec, channels),
        cutover_notice=_format_cutover_notice(owner, spec, item if state in UNFINISHED else None),
        channels=channels,
        failures=_load_failures(item, video),
        started_by_you=is_own,
        can_cancel=is_own and state in UNFINISHED,
        finished_at=item.finished_at if item else None,
    )


def _determine_state(item: ReprocessItem | None) -> str:
    if item is None:
        return "none"
    if item.state not in ReprocessItem.OPEN:
        return "succeeded" if item.state == ReprocessItem.State.DONE else item.state
    if item.run.state in ReprocessRun.UNFINISHED:
        return "paused" if item.run.state == ReprocessRun.State.PAUSED else item.state
    # The run has ended; the item's worker releases it after the current batch.
    return "cancelled"


def _measure_progress(
    state: str, item: ReprocessItem | None, video: Video, spec: EffectiveSpec, channels: tuple[ChannelStatus, ...]
) -> int:
    if state == "cancelled" and item and item.run.force:
        # What was up to date before is no progress of this run.
        channels = _count_channels(video, spec, item.run)
    return compute_percent(channels, includes_failed=state in (*UNFINISHED, "cancelled"))


def compute_percent(channels: Sequence[ChannelStatus], *, includes_failed: bool) -> int:
    """Return the share of the scenes that are up to date, or that have failed if those count as done, in percent. Pure."""
    scenes = sum(channel.scenes for channel in channels)
    done = sum(channel.current + (channel.failed if includes_failed else 0) for channel in channels)
    return 100 * done // scenes if scenes else 100


def _format_message(state: str, item: ReprocessItem | None, channels: tuple[ChannelStatus, ...]) -> str:
    parts, current = sum(channel.scenes for channel in channels), sum(channel.current for channel in channels)
    missing = parts - current
    words = {
        "parts": f"{parts} part{pluralize(parts)}",
        "current": current,
        "missing": missing,
        "is_current": pluralize(current, "is,are"),
        "is_missing": pluralize(missing, "is,are"),
    }
    if state == "paused" and item and (wait := describe_wait(item.run)):
        return wait.text
    if state == "paused" and item and item.run.limit_reached and item.run.scope == ReprocessRun.Scope.VIDEO:
        return _COST_LIMIT
    if state in UNFINISHED or (state in _MESSAGES and current < parts):
        return _MESSAGES[state].format(**words)
    return _OUT_OF_DATE.format(**words) if current < parts else _UP_TO_DATE


def _format_cutover_notice(owner: User, spec: EffectiveSpec, open_item: ReprocessItem | None) -> str:
    run_id = open_item.run_id if open_item and open_item.run.spec_id == spec.digest else None
    share = count_filled_videos(owner.pk, spec, ReprocessItem.objects.filter(run=run_id, owner=owner).values("video"))
    return _CUTOVER.format(filled=share[0], videos=share[1], is_filled=pluralize(share[0], "is,are")) if share else ""


def _count_channels(video: Video, spec: EffectiveSpec, forced_run: ReprocessRun | None) -> tuple[ChannelStatus, ...]:
    """Count the video's scenes by channel. With `forced_run`, only rows of that run count as up to date."""
    fingerprints = {
        configured.compute_fingerprint(channel): (configured.step.name, channel) for configured, channel in spec.list_channels(SCENES)
    }
    spaces = {space.fingerprint: space for space in EmbeddingSpace.objects.filter(fingerprint__in=fingerprints)}
    scenes = Scene.objects.filter(video=video)
    total = scenes.count()
    channels = []
    for fingerprint, (step, channel) in fingerprints.items():
        counts = {"current": 0, "failed": 0}
        if space := spaces.get(fingerprint):
            is_fresh = Q(row__input_hash=F("input__hash")) & (Q(row__run_id=forced_run.pk) if forced_run else Q())
            has_failed = Q(row__state=EmbeddingRow.State.FAILED)
            counts = scenes.annotate(
                row=FilteredRelation("embeddings", condition=Q(embeddings__space=space)),
                input=FilteredRelation("inputs", condition=Q(inputs__channel=channel)),
            ).aggregate(current=Count("pk", filter=is_fresh & ~has_failed), failed=Count("pk", filter=is_fresh & has_failed))
        channels.append(ChannelStatus(step, channel, total, counts["current"], counts["failed"]))
    return tuple(channels)


def _load_failures(item: ReprocessItem | None, video: Video) -> tuple[ReprocessFailure, ...]:
    if item is None:
        return ()
    failures = tuple(ReprocessFailure.objects.filter(run=item.run_id, video=video).select_related("scene")[:MAX_FAILURES])
    for failure in failures:
        failure.error = hide_addresses(failure.error)
    return failures
