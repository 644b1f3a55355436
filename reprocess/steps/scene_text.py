"""`scene_text`: a scene's transcript, its visual and on-screen text, and the video's summary, as texts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from heimdex.embedders.base import Embedder, TextEmbedder
from reprocess.steps.base import SceneStep
from reprocess.steps.embedding_task import EmbeddingTask, Result
from videos.channels import ON_SCREEN_TEXT, SUMMARY, TRANSCRIPT, VISUAL_TEXT, Channel
from videos.embedding_texts import BUDGETS, SceneSpeech, compose_summary, compose_transcripts, compose_visual, hash_input
from videos.input_hashes import SceneContent
from videos.models import Scene, Video

_FIELDS = ("id", "video_id", "owner_id", "index", "start_s", "end_s", "transcript", "words", "visual_text", "on_screen_text")


class SceneTextStep(SceneStep):
    name = "scene_text"
    order = 10
    code_version = 1
    fills = (
        Channel("transcript", (TRANSCRIPT,), evidence="said", has_context=True, label="speech"),
        Channel("visual", (VISUAL_TEXT, ON_SCREEN_TEXT), label="description"),
        Channel("summary", (SUMMARY,), evidence="video", label="video summary"),
    )
    embedder_alias = "text"
    params = asdict(BUDGETS)

    def compose_inputs(self, video_id: UUID) -> Iterator[tuple[Scene, Mapping[str, SceneContent]]]:
        scenes = list(Scene.objects.filter(video=video_id).only(*_FIELDS).order_by("index"))
        speech = [SceneSpeech.from_scene(scene) for scene in scenes]
        summary = compose_summary(Video.objects.filter(pk=video_id).values_list("summary", flat=True).first() or "")
        for scene, transcript in zip(scenes, compose_transcripts(speech), strict=True):
            visual = compose_visual(scene.visual_text, scene.on_screen_text)
            texts = {"transcript": transcript, "visual": visual, "summary": summary}
            yield scene, {channel: SceneContent(hash_input(text), text) for channel, text in texts.items()}

    def prepare(self, task: EmbeddingTask, embedder: Embedder) -> Any:
        return task.source

    def embed(self, embedder: Embedder, inputs: Sequence[str]) -> Sequence[Result]:
        assert isinstance(embedder, TextEmbedder)
        return list(embedder.embed_documents(inputs))


STEP = SceneTextStep()
