"""What an owner may know of the renewal of one video: its own scenes, its own failures, and nothing of the run that it may be part of."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, FilteredRelation, Q

from heimdex.accounts.models import User
from reprocess.actions.renew_video import started_by
from reprocess.models import ReprocessFailure, ReprocessItem, ReprocessRun
from reprocess.outlook import filled_share
from reprocess.spec import EffectiveSpec, effective_spec
from reprocess.subjects import SCENES
from videos.models import EmbeddingRow, EmbeddingSpace, Scene, Video

MOST_FAILURES = 50
MOVING = ("queued", "running")
UNFINISHED = (*MOVING, "paused")

_MESSAGES = {
    "queued": "Waiting for a worker.",
    "running": "Being renewed: {current} of {parts} parts are done.",
    "paused": "The renewal is paused. It goes on when an administrator resumes it.",
    "failed": "{missing} of {parts} parts could not be renewed. Search finds the rest.",
    "cancelled": "The renewal was cancelled; {current} of {parts} parts are up to date.",
}
_UP_TO_DATE = "The search data of this video is up to date."
_OUT_OF_DATE = "{missing} of {parts} parts of this video's search data are out of date."
_LIMIT_REACHED = (
    "The renewal is paused, because it has reached the cost limit of this installation. An administrator can resume it; you can cancel it."
)
_SWITCH = "{filled} of {videos} of your videos are ready for the new search; it begins when all are. Until then you search as before."


@dataclass(frozen=True)
class StepState:
    """One channel of the video: its scenes, how many are up to date (with a vector, or nothing to embed), and how many failed."""

    step: str
    channel: str
    scenes: int
    current: int
    failed: int


@dataclass(frozen=True)
class VideoState:
    """Where the renewal of a video stands; `state` is none, queued, running, paused, succeeded, failed or cancelled."""

    state: str
    message: str
    switch: str
    steps: tuple[StepState, ...]
    failures: tuple[ReprocessFailure, ...]
    started_by_you: bool
    can_cancel: bool
    finished_at: datetime | None

    @property
    def progress(self) -> int:
        """Return 0 to 100: how much is up to date, or was tried."""
        parts = sum(step.scenes for step in self.steps)
        tried = sum(step.current + step.failed for step in self.steps)
        return 100 * tried // parts if parts else 100

    @property
    def moving(self) -> bool:
        """Whether it will change by itself."""
        return self.state in MOVING


def video_state(owner: User, video: Video) -> VideoState:
    """Look at an owner's video: an open run over it first, else the last one."""
    spec = effective_spec()
    items = ReprocessItem.objects.filter(video=video).select_related("run").order_by("-run__created_at")
    item = items.filter(state__in=ReprocessItem.OPEN, run__state__in=ReprocessRun.UNFINISHED).first() or items.first()
    state = _word(item)
    steps = _steps(video, spec, item.run if item and item.run.force and state in UNFINISHED else None)
    own = bool(item and started_by(owner).filter(pk=item.run_id).exists())
    filling = item.run_id if item and state in UNFINISHED and item.run.spec_id == spec.digest else None
    share = filled_share(owner.pk, spec, ReprocessItem.objects.filter(run=filling, owner=owner).values("video"))
    return VideoState(
        state=state,
        message=_message(state, item, steps),
        switch=_SWITCH.format(filled=share[0], videos=share[1]) if share else "",
        steps=steps,
        failures=_failures(item, video),
        started_by_you=own,
        can_cancel=own and state in UNFINISHED,
        finished_at=item.finished_at if item else None,
    )


def _word(item: ReprocessItem | None) -> str:
    if item is None:
        return "none"
    if item.state not in ReprocessItem.OPEN:
        return {ReprocessItem.State.DONE: "succeeded"}.get(ReprocessItem.State(item.state), item.state)
    if item.run.state in ReprocessRun.UNFINISHED:
        return "paused" if item.run.state == ReprocessRun.State.PAUSED else item.state
    # Its worker lets go of it at the next border between batches.
    return "cancelled"


def _message(state: str, item: ReprocessItem | None, steps: tuple[StepState, ...]) -> str:
    parts, current = sum(step.scenes for step in steps), sum(step.current for step in steps)
    numbers = {"parts": parts, "current": current, "missing": parts - current}
    if state == "paused" and item and item.run.limit_reached and item.run.scope == ReprocessRun.Scope.VIDEO:
        return _LIMIT_REACHED
    if state in UNFINISHED or (state in _MESSAGES and current < parts):
        return _MESSAGES[state].format(**numbers)
    return _OUT_OF_DATE.format(**numbers) if current < parts else _UP_TO_DATE


def _steps(video: Video, spec: EffectiveSpec, anew: ReprocessRun | None) -> tuple[StepState, ...]:
    """Count the video's scenes by channel; with `anew` only what that run has computed counts."""
    prints = {configured.fingerprint(channel): (configured.step.name, channel) for configured, channel in spec.channels(SCENES)}
    spaces = {space.fingerprint: space for space in EmbeddingSpace.objects.filter(fingerprint__in=prints)}
    scenes = Scene.objects.filter(video=video)
    number = scenes.count()
    steps = []
    for fingerprint, (step, channel) in prints.items():
        counts = {"current": 0, "failed": 0}
        if space := spaces.get(fingerprint):
            fresh = Q(held__input_hash=F(f"{channel}_hash")) & (Q(held__run_id=anew.pk) if anew else Q())
            failed = Q(held__state=EmbeddingRow.State.FAILED)
            counts = scenes.annotate(held=FilteredRelation("embeddings", condition=Q(embeddings__space=space))).aggregate(
                current=Count("pk", filter=fresh & ~failed), failed=Count("pk", filter=fresh & failed)
            )
        steps.append(StepState(step, channel, number, counts["current"], counts["failed"]))
    return tuple(steps)


def _failures(item: ReprocessItem | None, video: Video) -> tuple[ReprocessFailure, ...]:
    if item is None:
        return ()
    return tuple(ReprocessFailure.objects.filter(run=item.run_id, video=video).select_related("scene")[:MOST_FAILURES])
