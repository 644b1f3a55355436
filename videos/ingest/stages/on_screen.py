"""Stage `on_screen`: what is written in each scene's pictures."""

from heimdex.backends import text_reader
from heimdex.vision.ocr import on_screen_text
from videos.ingest.seeing import pictures_of, unseen_batches
from videos.ingest.stage import StageContext
from videos.models import Scene

# Scenes, each of one to three pictures.
_BATCH = 4


def run(context: StageContext) -> None:
    """Read every scene's pictures, batch by batch; with HEIMDEX_OCR=off nothing is read.

    What stays on screen through many scenes (a slide, a station's name) is each scene's text: it is what a person sees there.
    """
    reader = text_reader()
    if reader is None:
        return
    for batch in unseen_batches(context, "read_by", reader.identity, _BATCH):
        for scene in batch:
            scene.on_screen_text = on_screen_text(reader.read(pictures_of(scene)))
            scene.read_by = reader.identity
        with context.writing():
            Scene.objects.bulk_update(batch, ["on_screen_text", "read_by"])
