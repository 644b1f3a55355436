"""Stage `summary`: derive the video's summary, chapters and tags, and the input hashes of its scenes."""

from videos.ingest.stage import Stage, StageContext
from videos.input_hashes import refresh_input_hashes
from videos.models import Scene, Video
from videos.summaries import extract_chapters, extract_summary, list_common_tags


def run(context: StageContext) -> None:
    """Summarize the video from its scenes' texts, and compute its input hashes."""
    video = context.video
    scenes = list(Scene.objects.filter(video=video).defer("words").order_by("index"))
    summary, chapters, tags = extract_summary(scenes), extract_chapters(scenes), list_common_tags(scenes)
    with context.transaction():
        Video.objects.filter(pk=video.pk).update(summary=summary, chapters=chapters, tags=tags)
        video.refresh_from_db(fields=["summary", "chapters", "tags"])
        refresh_input_hashes(video)


STAGE = Stage("summary", order=70, label="Summarizing", run=run)
