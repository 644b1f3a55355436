"""How long each stage of a video's ingest took, as its page shows it."""

from dataclasses import dataclass

from videos.models import Job, Video
from videos.pages.standing import STAGE_WORDS
from videos.pages.times import clock

_STATE_WORDS = {
    Job.State.QUEUED: "waits",
    Job.State.RUNNING: "at work",
    Job.State.FAILED: "failed",
    Job.State.DONE: "",
}


@dataclass(frozen=True)
class StageRow:
    """One stage: what it does, where it stands (nothing once it is done), the time of its last attempt, and how many there were."""

    words: str
    state: str
    time: str
    attempts: int


def stage_rows(video: Video) -> list[StageRow]:
    """Return a row for each stage that a worker has taken up; the video's jobs should be prefetched."""
    return [
        StageRow(STAGE_WORDS.get(job.stage, job.stage), _STATE_WORDS.get(Job.State(job.state), job.state), _time(duration_s), job.attempts)
        for job in video.jobs.all()
        if (duration_s := job.duration_s) is not None
    ]


def _time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else f"{clock(seconds)} min" if seconds < 3600 else f"{clock(seconds)} h"
