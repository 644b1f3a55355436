"""`scene_clip`: the scene's keyframe, as an image."""

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from heimdex.embedders.base import Embedder, ImageEmbedder
from heimdex.storage import get_media_storage
from reprocess.steps.base import InputMissing, SceneStep
from reprocess.steps.embedding_task import EmbeddingTask, Result
from videos.channels import KEYFRAME, Channel
from videos.input_hashes import SceneContent
from videos.models import Scene


class SceneClipStep(SceneStep):
    name = "scene_clip"
    order = 20
    code_version = 1
    fills = (Channel("clip", (KEYFRAME,), label="image"),)
    embedder_alias = "image"
    params = {"picture": "keyframe"}

    def compose_inputs(self, video_id: UUID) -> Iterator[tuple[Scene, Mapping[str, SceneContent]]]:
        for scene in Scene.objects.filter(video=video_id).only("id", "video_id", "owner_id", "keyframe_hash").order_by("index"):
            yield scene, {"clip": SceneContent(scene.keyframe_hash, scene.keyframe_key)}

    def prepare(self, task: EmbeddingTask, embedder: Embedder) -> Any:
        from PIL import Image

        assert isinstance(embedder, ImageEmbedder)
        try:
            with get_media_storage().open(str(task.source)) as file:
                image = Image.open(io.BytesIO(file.read()))
            # A JPEG decoded at half its size or less takes a third of the time and moves the vector by a cosine of 2e-5.
            image.draft("RGB", (embedder.input_side, embedder.input_side))
            return embedder.prepare(image.convert("RGB"))
        except (OSError, SyntaxError) as error:
            raise InputMissing(f"The keyframe cannot be read ({error}). Retry the video to rebuild it.") from error

    def embed(self, embedder: Embedder, inputs: Sequence[Any]) -> Sequence[Result]:
        assert isinstance(embedder, ImageEmbedder)
        return list(embedder.embed_prepared(inputs))


STEP = SceneClipStep()
