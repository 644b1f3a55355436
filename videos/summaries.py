"""A video's summary and chapters as far as they are made of its scenes' own words. Pure, but for the scenes they are given."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from heimdex.vision.chapters import SceneText, chapters
from heimdex.vision.summary import summarise_video
from videos.composition import BUDGETS, clip_text
from videos.models import Scene

_MOST_TAGS = 10


def common_tags(scenes: Sequence[Scene]) -> list[str]:
    """Return what is seen in most of a video's scenes, the most common first."""
    return [name for name, _ in Counter(tag["name"] for scene in scenes for tag in scene.tags).most_common(_MOST_TAGS)]


def extracted_summary(scenes: Sequence[Scene]) -> str:
    """Return the summary that all scenes of a video, in order, give."""
    said, seen = [scene.transcript for scene in scenes], [scene.description for scene in scenes]
    return clip_text(summarise_video(said, seen, common_tags(scenes)), BUDGETS.summary)


def extracted_chapters(scenes: Sequence[Scene]) -> list[dict[str, Any]]:
    """Return the chapters that all scenes of a video, in order, give, as `Video.chapters` holds them."""
    texts = [
        SceneText(scene.start_s, scene.end_s, scene.transcript, scene.visual_text, tuple(scene.on_screen_text.splitlines()))
        for scene in scenes
    ]
    return [{**asdict(chapter), "start_s": round(chapter.start_s, 3)} for chapter in chapters(texts)]
