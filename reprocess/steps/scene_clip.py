"""`scene_clip`: what is seen, as the scene's keyframe."""

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from heimdex.embedders.base import Embedder, ImageEmbedder
from heimdex.storage import media_storage
from reprocess.steps.base import InputMissing, SceneStep
from reprocess.work import Result, Work
from videos.models import Scene, Video


class SceneClip(SceneStep):
    name = "scene_clip"
    order = 20
    code_version = 1
    channels = ("clip",)
    embedder_alias = "image"
    params = {"picture": "keyframe"}

    def work(self, video: Video, stale: Mapping[str, frozenset[UUID]]) -> Iterator[tuple[Scene, Work]]:
        for scene in Scene.objects.filter(pk__in=stale["clip"]).only("id", "video_id", "owner_id", "clip_hash").order_by("index"):
            yield scene, Work(scene.pk, scene.owner_id, "clip", scene.clip_hash, scene.keyframe_key if scene.clip_hash else "")

    def load(self, work: Work, embedder: Embedder) -> Any:
        from PIL import Image

        assert isinstance(embedder, ImageEmbedder)
        try:
            with media_storage().open(str(work.source)) as file:
                picture = Image.open(io.BytesIO(file.read()))
            # A JPEG decoded at half its size or less takes a third of the time and moves the vector by a cosine of 2e-5.
            picture.draft("RGB", (embedder.picture_side, embedder.picture_side))
            return embedder.prepare(picture.convert("RGB"))
        except (OSError, SyntaxError) as error:
            raise InputMissing(f"The keyframe cannot be read ({error}). Retry the video to make it anew.") from error

    def embed(self, embedder: Embedder, inputs: Sequence[Any]) -> Sequence[Result]:
        assert isinstance(embedder, ImageEmbedder)
        return list(embedder.embed_prepared(inputs))


STEP = SceneClip()
