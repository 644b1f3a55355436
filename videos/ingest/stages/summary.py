"""Stage `summary`: what the video as a whole is about, its chapters, and what each channel will embed."""

from videos.ingest.stage import StageContext
from videos.models import Scene, Video
from videos.scene_inputs import refresh_input_hashes
from videos.summaries import common_tags, extracted_chapters, extracted_summary


def run(context: StageContext) -> None:
    """Summarise the video from its scenes' texts, and fix the inputs of its vectors."""
    video = context.video
    scenes = list(Scene.objects.filter(video=video).defer("words", "search_vector").order_by("index"))
    summary, chapters, tags = extracted_summary(scenes), extracted_chapters(scenes), common_tags(scenes)
    with context.writing():
        Video.objects.filter(pk=video.pk).update(summary=summary, chapters=chapters, tags=tags)
        video.refresh_from_db(fields=["summary", "chapters", "tags"])
        refresh_input_hashes(video)
