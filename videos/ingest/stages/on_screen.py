"""Stage `on_screen`: read the text in each scene's keyframes."""

from heimdex.backends import get_text_reader
from heimdex.vision.ocr import compose_on_screen_text
from videos.ingest.scene_batches import iter_pending_batches, load_images
from videos.ingest.stage import Stage, StageContext
from videos.models import Scene

# Scenes, each with one to three keyframes.
_BATCH_SIZE = 4


def run(context: StageContext) -> None:
    """Read the keyframes of every scene, batch by batch. With HEIMDEX_OCR=off nothing is read.

    Text that stays on screen through many scenes (a slide, the name of a channel) belongs to each of them, because a viewer sees it there.
    """
    reader = get_text_reader()
    if reader is None:
        return
    for batch in iter_pending_batches(context, "read_by", reader.identity, _BATCH_SIZE):
        for scene in batch:
            scene.on_screen_text = compose_on_screen_text(reader.read(load_images(scene)))
            scene.read_by = reader.identity
        with context.transaction():
            Scene.objects.bulk_update(batch, ["on_screen_text", "read_by"])


STAGE = Stage("on_screen", order=50, label="Reading on-screen text", run=run, weight=10)
