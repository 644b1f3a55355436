"""Where a video stands, in words."""

from dataclasses import dataclass
from typing import Self

from videos.api.serializers import VideoStatusSerializer
from videos.models import Job, Video

# Also handed to the script that follows the status endpoint, so that both speak alike.
WAITING = "waiting"
STAGE_WORDS = {
    WAITING: "Waiting for a worker",
    "validate": "Checking the file",
    "probe": "Reading its format",
    "scenes": "Finding scenes",
    "transcript": "Listening to what is said",
    "on_screen": "Reading what is written",
    "description": "Looking at the pictures",
    "summary": "Summing it up",
    "embed": "Computing embeddings",
    "index": "Making it searchable",
}
STATE_WORDS = {
    Video.State.UPLOADING: "Waiting for its file",
    Video.State.INDEXED: "Ready",
    Video.State.FAILED: "Failed",
}


@dataclass(frozen=True)
class Standing:
    """A video's state as a page shows it (percent: 0 to 100)."""

    state: str
    words: str
    percent: int
    moving: bool
    error: str
    can_retry: bool

    @classmethod
    def of(cls, video: Video) -> Self:
        """Describe a video; its jobs should be prefetched."""
        status = VideoStatusSerializer(video)
        moving = video.state in Video.MOVING
        started = any(job.state != Job.State.QUEUED for job in video.jobs.all())
        stage = status.get_stage(video) if started else WAITING
        return cls(
            state=video.state,
            words=STAGE_WORDS.get(stage, stage) if moving else STATE_WORDS[Video.State(video.state)],
            percent=status.get_progress(video),
            moving=moving,
            error=video.error_text,
            # What never arrived can only be uploaded anew.
            can_retry=video.state == Video.State.FAILED and video.error_code != "upload_expired",
        )
