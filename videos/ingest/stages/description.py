"""Stage `description`: what is seen in each scene."""

from heimdex.backends import describer
from videos.composition import compose_seen
from videos.ingest.seeing import pictures_of, unseen_batches
from videos.ingest.stage import StageContext
from videos.models import Scene

_BATCH = 16


def run(context: StageContext) -> None:
    """Describe and tag every scene that has a picture, batch by batch."""
    sees = describer()
    for batch in unseen_batches(context, "described_by", sees.identity, _BATCH):
        for scene, description in zip(batch, sees.describe([pictures_of(scene)[0] for scene in batch]), strict=True):
            scene.description = description.text
            scene.tags = [{"name": tag.name, "confidence": round(tag.confidence, 3)} for tag in description.tags]
            scene.visual_text = compose_seen(scene.description, scene.tags)
            scene.described_by = sees.identity
        with context.writing():
            Scene.objects.bulk_update(batch, ["description", "tags", "visual_text", "described_by"])
