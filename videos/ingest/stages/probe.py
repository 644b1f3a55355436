"""Stage `probe`: check that the file is a video within the limits, and record its properties."""

from heimdex.accounts.models import User
from heimdex.accounts.owner import lock_owner
from heimdex.accounts.quotas import get_quota, measure_usage
from videos.errors import IngestErrorCode
from videos.ingest.stage import IngestError, Stage, StageContext
from videos.models import Video, VideoMetadata


def run(context: StageContext) -> None:
    """Record the properties of the file.

    Raise MediaError when it is not a video or exceeds a limit, and IngestError `over_quota` when the owner has too few minutes left.
    """
    info = context.source.info
    video = context.video
    with context.transaction():
        _check_length(video, info.duration_s)
        VideoMetadata.objects.update_or_create(
            video=video,
            defaults={
                "owner_id": video.owner_id,
                "container": info.container,
                "duration_s": info.duration_s,
                "width": info.width,
                "height": info.height,
                "fps": info.fps,
                "rotation": info.rotation,
                "video_codec": info.video_codec,
                "audio_codec": info.audio_codec or "",
            },
        )
        Video.objects.filter(pk=video.pk).update(state=Video.State.PROCESSING)


def _check_length(video: Video, duration_s: float) -> None:
    """Compare the length of a new video with the owner's minutes. A video that was accepted once stays, whatever the quota is now."""
    if VideoMetadata.objects.filter(video=video).exists():
        return
    # Otherwise two videos of the owner could use the same minutes.
    lock_owner(video.owner_id)
    owner = User.objects.get(pk=video.owner_id)
    if problem := get_quota(owner).find_length_problem(measure_usage(owner.pk), duration_s):
        raise IngestError(IngestErrorCode.OVER_QUOTA, problem)


STAGE = Stage("probe", order=20, label="Reading the format", run=run, weight=3)
