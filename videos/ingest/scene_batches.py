"""Analyze a video's keyframes in batches of scenes. Finished batches are stored, so that another worker can resume after them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from heimdex.storage import get_media_storage
from videos.ingest.stage import StageContext
from videos.models import Scene

if TYPE_CHECKING:
    from PIL import Image


def iter_pending_batches(context: StageContext, model_field: str, identity: str, size: int) -> Iterator[list[Scene]]:
    """Yield the scenes with a keyframe that a model has not analyzed yet, `size` at a time, in order.

    `model_field` is the scene's field with the identity of the model that produced its results. The caller writes the field and the
    results before it asks for the next batch, so that another worker repeats at most one batch. Raise LeaseLost when another worker has
    taken over.
    """
    scenes = Scene.objects.filter(video=context.video).exclude(keyframe_hash="").defer("words")
    count = scenes.count()
    pending = list(scenes.exclude(**{model_field: identity}).order_by("index"))
    for start in range(0, len(pending), size):
        context.report_progress((count - len(pending) + start) / count)
        yield pending[start : start + size]


def load_images(scene: Scene, limit: int | None = None) -> "list[Image.Image]":
    """Return the scene's keyframes, at most `limit`, the main keyframe first. Raise OSError when a file is missing."""
    from PIL import Image

    images: list[Image.Image] = []
    for key, _ in scene.image_keys[:limit]:
        with get_media_storage().open(key) as file:
            image = Image.open(file)
            image.load()
        images.append(image)
    return images
