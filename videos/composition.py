"""Compose the texts that stand for a scene. Pure: the same scene gives the same text, wherever it is composed."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

# [start_s, end_s, text], as Scene.words stores them.
Word: TypeAlias = tuple[float, float, str]


@dataclass(frozen=True)
class TextBudgets:
    """How much text a vector may stand for (characters; seconds)."""

    transcript: int = 4800
    transcript_short: int = 200
    context_s: float = 3.0
    visual: int = 3200
    summary: int = 2000


BUDGETS = TextBudgets()


@dataclass(frozen=True)
class SceneSpeech:
    """What is said in a scene, and when (seconds from the video's start)."""

    start_s: float
    end_s: float
    transcript: str
    words: Sequence[Word]


def compose_transcript(scenes: Sequence[SceneSpeech], position: int, budgets: TextBudgets = BUDGETS) -> str:
    """Return what is said in `scenes[position]`; a short transcript takes in the words up to `context_s` around it.

    `scenes` are consecutive scenes of one video, in order, and reach at least `context_s` beyond the position where the video does.
    A scene without speech stays empty: its neighbours' words are not its own.
    """
    scene = scenes[position]
    said = " ".join(scene.transcript.split())
    if said and len(said) < budgets.transcript_short:
        before = _words(scenes[:position], scene.start_s - budgets.context_s, scene.start_s)
        after = _words(scenes[position + 1 :], scene.end_s, scene.end_s + budgets.context_s)
        said = " ".join(part for part in (before, said, after) if part)
    return clip_text(said, budgets.transcript)


def compose_seen(description: str, tags: Sequence[dict[str, Any]], budgets: TextBudgets = BUDGETS) -> str:
    """Return the description followed by the tags' names."""
    names = ", ".join(str(tag["name"]) for tag in tags)
    return clip_text(" ".join(f"{description} {names}".split()), budgets.visual)


def compose_visual(seen: str, written: str, budgets: TextBudgets = BUDGETS) -> str:
    """Return what is seen, followed by what is written on screen as far as there is room for it."""
    return clip_text(" ".join(f"{seen} {written}".split()), budgets.visual)


def compose_summary(summary: str, budgets: TextBudgets = BUDGETS) -> str:
    """Return the video's summary, which every scene of it shares."""
    return clip_text(" ".join(summary.split()), budgets.summary)


def clip_text(text: str, limit: int) -> str:
    """Cut to at most `limit` characters, at a word's end where there is one in the last fifth."""
    if len(text) <= limit:
        return text
    cut = text[:limit]
    space = cut.rfind(" ", limit * 4 // 5)
    return cut[:space] if space > 0 else cut


def input_hash(data: str | bytes) -> str:
    """Return the SHA-256 of what is embedded, as hexadecimal; empty for nothing."""
    raw = data.encode() if isinstance(data, str) else data
    return hashlib.sha256(raw).hexdigest() if raw else ""


def _words(scenes: Sequence[SceneSpeech], start_s: float, end_s: float) -> str:
    return " ".join(text.strip() for scene in scenes for begin, end, text in scene.words if begin < end_s and end > start_s)
