"""The status and progress of a video, as shown by the API, the pages and the admin."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from heimdex.outages.texts import Wait, describe_wait
from videos.models import Job, Video
from videos.registry import find_stage, list_stages

WAITING = "waiting"
_WAITING_LABEL = "Waiting for a worker"
_STATE_LABELS = {
    Video.State.UPLOADING: "Upload not finished",
    Video.State.INDEXED: "Ready",
    Video.State.FAILED: "Failed",
}


@dataclass(frozen=True)
class VideoStatus:
    """A video's state and progress (0 to 100).

    `stage` is empty unless the video is being processed. `label` is the status in a few words. `notices` tell the owner what could not be
    decoded or transcribed. `wait` says which outage's end the ingest waits for. `stages` are the jobs of the ingest, in order.
    """

    video_id: UUID
    state: str
    stage: str
    label: str
    progress: int
    is_processing: bool
    can_retry: bool
    error: str
    error_code: str
    wait: Wait | None
    notices: tuple[str, ...]
    stages: tuple[Job, ...]
    updated_at: datetime


def get_video_status(video: Video) -> VideoStatus:
    """Return the status of a video. For several videos, prefetch `jobs` and select `metadata` first."""
    jobs = tuple(video.jobs.all())
    stages = [StageProgress(job.stage, job.state == Job.State.DONE, job.progress) for job in jobs]
    stage = find_current_stage(stages) if video.is_processing else ""
    wait = _find_wait(jobs) if video.is_processing else None
    return VideoStatus(
        video_id=video.pk,
        state=video.state,
        stage=stage,
        label=wait.label if wait else _get_label(video, stage, jobs),
        progress=100 if video.state == Video.State.INDEXED else compute_percent(stages),
        is_processing=video.is_processing,
        can_retry=video.can_retry,
        error=video.error_text,
        error_code=video.error_code,
        wait=wait,
        notices=tuple(video.notices),
        stages=jobs,
        updated_at=video.updated_at,
    )


def list_status_labels() -> dict[str, str]:
    """Return the label of each stage and of `waiting`, for the script that polls the status."""
    return {WAITING: _WAITING_LABEL, **{stage.name: stage.label for stage in list_stages()}}


def get_stage_label(name: str) -> str:
    """Return the label of a stage; its name when the stage no longer exists."""
    stage = find_stage(name)
    return stage.label if stage else name


def _find_wait(jobs: tuple[Job, ...]) -> Wait | None:
    return next((describe_wait(job) for job in jobs if job.waits_for), None)


def _get_label(video: Video, stage: str, jobs: tuple[Job, ...]) -> str:
    if not video.is_processing:
        return _STATE_LABELS[Video.State(video.state)]
    is_waiting = all(job.state == Job.State.QUEUED for job in jobs)
    return _WAITING_LABEL if is_waiting else get_stage_label(stage)


@dataclass(frozen=True)
class StageProgress:
    """A stage, and the share of it that is done (0 to 1)."""

    stage: str
    done: bool
    progress: float


def compute_percent(stages: Sequence[StageProgress]) -> int:
    """Return the weighted progress of all stages, 0 to 100. It is 100 only when every stage is done."""
    total = sum(_get_weight(stage.stage) for stage in stages)
    if not total:
        return 0
    done = sum(_get_weight(stage.stage) * (1.0 if stage.done else stage.progress) for stage in stages)
    return 100 if all(stage.done for stage in stages) else min(99, int(100 * done / total))


def find_current_stage(stages: Sequence[StageProgress]) -> str:
    """Return the first stage that is not done, or an empty string."""
    return next((stage.stage for stage in stages if not stage.done), "")


def _get_weight(name: str) -> float:
    stage = find_stage(name)
    return stage.weight if stage else 1
