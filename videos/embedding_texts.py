"""Compose the texts that are embedded for a scene. Pure functions: equal scenes give equal texts."""

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from heimdex.speech.words import join_words

if TYPE_CHECKING:
    from videos.models import Scene

# [start_s, end_s, text], as Scene.words stores them.
Word: TypeAlias = tuple[float, float, str]


@dataclass(frozen=True)
class TextBudgets:
    """The longest texts to embed, in characters; `context_s` in seconds."""

    transcript: int = 4800
    transcript_short: int = 200
    context_s: float = 3.0
    visual: int = 3200
    summary: int = 2000


BUDGETS = TextBudgets()


@dataclass(frozen=True)
class SceneSpeech:
    """The speech of a scene; times in seconds from the start of the video."""

    start_s: float
    end_s: float
    transcript: str
    words: Sequence[Word]

    @classmethod
    def from_scene(cls, scene: "Scene") -> Self:
        """Return the speech of a scene's row."""
        return cls(scene.start_s, scene.end_s, scene.transcript, scene.words)


def compose_transcripts(scenes: Sequence[SceneSpeech], budgets: TextBudgets = BUDGETS) -> Iterator[str]:
    """Yield the transcript text of each scene; a transcript shorter than `transcript_short` gets the words of other scenes near it.

    `scenes` are all scenes of the video, in order; words up to `context_s` before and after the scene are added. A scene without speech
    stays empty.
    """
    spoken = [word for scene in scenes for word in scene.words]
    words = _Words(spoken)
    end = 0
    for scene in scenes:
        start, end = end, end + len(scene.words)
        transcript = " ".join(scene.transcript.split())
        if transcript and len(transcript) < budgets.transcript_short:
            before = words.join_within(scene.start_s - budgets.context_s, scene.start_s, 0, start)
            after = words.join_within(scene.end_s, scene.end_s + budgets.context_s, end, len(spoken))
            transcript = " ".join(part for part in (before, transcript, after) if part)
        yield clip_text(transcript, budgets.transcript)


def join_description_and_tags(description: str, tags: Sequence[dict[str, Any]], budgets: TextBudgets = BUDGETS) -> str:
    """Return the description followed by the tags' names."""
    names = ", ".join(str(tag["name"]) for tag in tags)
    return clip_text(" ".join(f"{description} {names}".split()), budgets.visual)


def compose_visual(visual_text: str, on_screen_text: str, budgets: TextBudgets = BUDGETS) -> str:
    """Return the visual text, followed by as much on-screen text as fits."""
    return clip_text(" ".join(f"{visual_text} {on_screen_text}".split()), budgets.visual)


def compose_summary(summary: str, budgets: TextBudgets = BUDGETS) -> str:
    """Return the video's summary, which all its scenes share."""
    return clip_text(" ".join(summary.split()), budgets.summary)


def clip_text(text: str, limit: int) -> str:
    """Shorten a text to at most `limit` characters, at the end of a word if there is one in the last fifth."""
    if len(text) <= limit:
        return text
    cut = text[:limit]
    space = cut.rfind(" ", limit * 4 // 5)
    return cut[:space] if space > 0 else cut


def hash_input(data: str | bytes) -> str:
    """Return the SHA-256 of an input in hexadecimal; an empty string for an empty input."""
    raw = data.encode() if isinstance(data, str) else data
    return hashlib.sha256(raw).hexdigest() if raw else ""


class _Words:
    """The words of a video, indexed by time. Words may overlap, and words of edited scenes may be out of order."""

    def __init__(self, words: Sequence[Word]) -> None:
        self._words = words
        # Both sequences never decrease, so they can be bisected: the latest end among a word and all before it, and the earliest start
        # among a word and all after it.
        self._latest_ends = list(accumulate((end for _, end, _ in words), max))
        self._earliest_starts = list(accumulate((start for start, _, _ in reversed(words)), min))[::-1]

    def join_within(self, start_s: float, end_s: float, first: int, beyond: int) -> str:
        """Return the words with index in [first, beyond) that overlap a time span, as their script is written."""
        low = max(first, bisect_right(self._latest_ends, start_s))
        high = min(beyond, bisect_left(self._earliest_starts, end_s))
        return join_words(text for start, end, text in self._words[low:high] if start < end_s and end > start_s)
