"""The duration of each stage of an ingest, as shown on a video's page."""

from dataclasses import dataclass

from videos.models import Job
from videos.pages.times import format_time
from videos.status import VideoStatus, get_stage_label

_STATE_LABELS = {
    Job.State.QUEUED: "waiting",
    Job.State.RUNNING: "running",
    Job.State.FAILED: "failed",
    Job.State.DONE: "",
}


@dataclass(frozen=True)
class StageRow:
    """A stage's label, its state (empty once it is done), the duration of its last attempt, and the number of attempts."""

    label: str
    state: str
    time: str
    attempts: int


def build_stage_rows(status: VideoStatus) -> list[StageRow]:
    """Return a row for each stage that a worker has started."""
    return [
        StageRow(
            get_stage_label(job.stage),
            _STATE_LABELS.get(Job.State(job.state), job.state),
            _format_duration(duration_s),
            job.attempts,
        )
        for job in status.stages
        if (duration_s := job.duration_s) is not None
    ]


def _format_duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{format_time(seconds)} {'min' if seconds < 3600 else 'h'}"
