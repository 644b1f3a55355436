"""Stage `description`: describe what each scene shows."""

from heimdex.backends import get_describer, get_text_reader
from heimdex.vision.ocr import TextLine, compose_on_screen_text
from videos.embedding_texts import join_description_and_tags
from videos.ingest.scene_batches import iter_pending_batches, load_images
from videos.ingest.stage import Stage, StageContext
from videos.models import Scene

_BATCH_SIZE = 16


def run(context: StageContext) -> None:
    """Describe and tag every scene that has a keyframe, batch by batch.

    With HEIMDEX_OCR=off, text that the describer reads becomes the scene's on-screen text. Otherwise the text reader's result stays.
    """
    model, needs_text = get_describer(), get_text_reader() is None
    for batch in iter_pending_batches(context, "described_by", model.identity, _BATCH_SIZE):
        described = model.describe([load_images(scene, model.max_images) for scene in batch])
        for scene, description in zip(batch, described, strict=True):
            scene.description = description.text
            scene.tags = [{"name": tag.name, "confidence": round(tag.confidence, 3)} for tag in description.tags]
            scene.visual_text = join_description_and_tags(scene.description, scene.tags)
            scene.described_by = model.identity
            if needs_text and description.lines:
                scene.on_screen_text = compose_on_screen_text([[TextLine(line, 1.0) for line in description.lines]])
                scene.read_by = model.identity
        text_fields = ["on_screen_text", "read_by"] if needs_text else []
        with context.transaction():
            Scene.objects.bulk_update(batch, ["description", "tags", "visual_text", "described_by", *text_fields])


STAGE = Stage("description", order=60, label="Recognizing what is shown", run=run, weight=12)
