"""A video's summary, chapters and tags, derived from the texts of its scenes."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from heimdex.vision.chapters import ChapterScene, divide_into_chapters
from heimdex.vision.summary import summarize_video
from videos.embedding_texts import BUDGETS, clip_text
from videos.models import Scene

_MAX_TAGS = 10
# What people can say in a scene, in characters per second. An edited transcript may be longer.
_LETTERS_PER_S, _MIN_LETTERS = 40, 400


def list_common_tags(scenes: Sequence[Scene]) -> list[str]:
    """Return the names of the most common tags of a video's scenes, the most common first."""
    return [name for name, _ in Counter(tag["name"] for scene in scenes for tag in scene.tags).most_common(_MAX_TAGS)]


def extract_summary(scenes: Sequence[Scene]) -> str:
    """Return a summary made of sentences of all scenes of a video, given in order."""
    speech, descriptions = [scene.transcript for scene in scenes], [scene.description for scene in scenes]
    return clip_text(summarize_video(speech, descriptions, list_common_tags(scenes)), BUDGETS.summary)


def extract_chapters(scenes: Sequence[Scene]) -> list[dict[str, Any]]:
    """Return the chapters of all scenes of a video, given in order, as `Video.chapters` stores them."""
    texts = [
        ChapterScene(scene.start_s, scene.end_s, _clip_speech(scene), scene.visual_text, tuple(scene.on_screen_text.splitlines()))
        for scene in scenes
    ]
    return [{**asdict(chapter), "start_s": round(chapter.start_s, 3)} for chapter in divide_into_chapters(texts)]


def _clip_speech(scene: Scene) -> str:
    return clip_text(scene.transcript, _MIN_LETTERS + round(_LETTERS_PER_S * (scene.end_s - scene.start_s)))
