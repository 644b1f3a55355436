"""Stage `probe`: the file is a video, within the limits, and this is what it holds."""

from videos.ingest.stage import StageContext
from videos.models import Video, VideoMetadata


def run(context: StageContext) -> None:
    """Record what the file holds; MediaError when it is no video or beyond a limit."""
    info = context.source.info
    video = context.video
    with context.writing():
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
