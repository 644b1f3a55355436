"""Stage `description`: what is seen in each scene, and the video's summary."""

from typing import TYPE_CHECKING

from heimdex.backends import describer
from heimdex.storage import media_storage
from videos.composition import compose_visual
from videos.ingest.stage import StageContext
from videos.models import Scene, Video
from videos.scene_inputs import refresh_input_hashes
from videos.summaries import common_tags, extracted_summary

if TYPE_CHECKING:
    from PIL.Image import Image

_BATCH = 16


def run(context: StageContext) -> None:
    """Describe and tag every scene that has a picture, then summarise the video and fix what each channel will embed."""
    video = context.video
    scenes = list(Scene.objects.filter(video=video).defer("words").order_by("index"))
    pictured = [scene for scene in scenes if scene.clip_hash]
    for start in range(0, len(pictured), _BATCH):
        batch = pictured[start : start + _BATCH]
        for scene, description in zip(batch, describer().describe([_keyframe(scene) for scene in batch]), strict=True):
            scene.description = description.text
            scene.tags = [{"name": tag.name, "confidence": round(tag.confidence, 3)} for tag in description.tags]
            scene.visual_text = compose_visual(scene.description, scene.tags)
        context.progress((start + len(batch)) / len(pictured))
    with context.writing():
        Scene.objects.bulk_update(pictured, ["description", "tags", "visual_text"], batch_size=500)
        Video.objects.filter(pk=video.pk).update(summary=extracted_summary(scenes), tags=common_tags(scenes))
        video.refresh_from_db(fields=["summary"])
        refresh_input_hashes(video)


def _keyframe(scene: Scene) -> "Image":
    from PIL import Image

    with media_storage().open(scene.keyframe_key) as file:
        picture = Image.open(file)
        picture.load()
    return picture
