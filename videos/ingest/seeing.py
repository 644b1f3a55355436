"""Look at a video's pictures scene by scene; what a worker has seen is kept, and the next one goes on behind it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from heimdex.storage import media_storage
from videos.ingest.stage import StageContext
from videos.models import Scene

if TYPE_CHECKING:
    from PIL import Image


def unseen_batches(context: StageContext, seen_by: str, identity: str, size: int) -> Iterator[list[Scene]]:
    """Yield the scenes that have a picture which this model has not seen yet, `size` at a time, in order.

    `seen_by` names the field that holds the identity of the model whose results a scene has. Whoever iterates writes it, together with
    the results and before the next batch, so that a worker that takes over repeats one batch at most. LeaseLost when another has.
    """
    pictured = Scene.objects.filter(video=context.video).exclude(clip_hash="").defer("words", "search_vector")
    count = pictured.count()
    unseen = list(pictured.exclude(**{seen_by: identity}).order_by("index"))
    for start in range(0, len(unseen), size):
        context.progress((count - len(unseen) + start) / count)
        yield unseen[start : start + size]


def pictures_of(scene: Scene, most: int | None = None) -> "list[Image.Image]":
    """Return the scene's pictures, or so many of them, first the one that represents it. OSError when the storage has lost one."""
    from PIL import Image

    pictures: list[Image.Image] = []
    for key, _ in scene.pictures[:most]:
        with media_storage().open(key) as file:
            picture = Image.open(file)
            picture.load()
        pictures.append(picture)
    return pictures
