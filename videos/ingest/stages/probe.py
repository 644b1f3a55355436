"""Stage `probe`: check that the file is a video within the limits, and record its properties."""

from videos.ingest.stage import Stage, StageContext
from videos.models import Video, VideoMetadata


def run(context: StageContext) -> None:
    """Record the properties of the file. Raise MediaError when it is not a video or exceeds a limit."""
    info = context.source.info
    video = context.video
    with context.transaction():
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


STAGE = Stage("probe", order=20, label="Reading the format", run=run, weight=3)
