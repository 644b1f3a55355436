"""Stage `description`: what is seen in each scene."""

from heimdex.backends import describer, text_reader
from heimdex.vision.ocr import ReadLine, on_screen_text
from videos.composition import compose_seen
from videos.ingest.seeing import pictures_of, unseen_batches
from videos.ingest.stage import StageContext
from videos.models import Scene

_BATCH = 16


def run(context: StageContext) -> None:
    """Describe and tag every scene that has a picture, batch by batch.

    With HEIMDEX_OCR=off, what a describer reads is the scene's on-screen text; otherwise a reader has read it, and more exactly.
    """
    sees, unread = describer(), text_reader() is None
    for batch in unseen_batches(context, "described_by", sees.identity, _BATCH):
        described = sees.describe([pictures_of(scene, sees.most_pictures) for scene in batch])
        for scene, description in zip(batch, described, strict=True):
            scene.description = description.text
            scene.tags = [{"name": tag.name, "confidence": round(tag.confidence, 3)} for tag in description.tags]
            scene.visual_text = compose_seen(scene.description, scene.tags)
            scene.described_by = sees.identity
            if unread and description.written:
                scene.on_screen_text = on_screen_text([[ReadLine(line, 1.0) for line in description.written]])
                scene.read_by = sees.identity
        read = ["on_screen_text", "read_by"] if unread else []
        with context.writing():
            Scene.objects.bulk_update(batch, ["description", "tags", "visual_text", "described_by", *read])
