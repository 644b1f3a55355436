"""`scene_text`: what is said, what is seen and written, and the video's summary, as texts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from heimdex.embedders.base import Embedder, TextEmbedder
from reprocess.steps.base import SceneStep
from reprocess.work import Result, Work
from videos import composition
from videos.models import Scene, Video
from videos.scene_inputs import TEXT_CHANNELS, compose_scene_texts


class SceneText(SceneStep):
    name = "scene_text"
    order = 10
    code_version = 1
    channels = TEXT_CHANNELS
    embedder_alias = "text"
    params = asdict(composition.BUDGETS)
    texts = {"transcript": ("transcript",), "visual": ("visual_text", "on_screen_text"), "summary": ("video__summary",)}
    composed_by = (composition,)

    def work(self, video: Video, stale: Mapping[str, frozenset[UUID]]) -> Iterator[tuple[Scene, Work]]:
        for scene, texts in compose_scene_texts(video):
            for channel, text in texts.items():
                if scene.pk in stale[channel]:
                    yield scene, Work(scene.pk, scene.owner_id, channel, composition.input_hash(text), text)

    def load(self, work: Work, embedder: Embedder) -> Any:
        return work.source

    def embed(self, embedder: Embedder, inputs: Sequence[str]) -> Sequence[Result]:
        assert isinstance(embedder, TextEmbedder)
        return list(embedder.embed_documents(inputs))


STEP = SceneText()
