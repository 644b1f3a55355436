"""Compose the texts that stand for a scene. Pure: the same scene gives the same text, wherever it is composed."""

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
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


def compose_transcripts(scenes: Sequence[SceneSpeech], budgets: TextBudgets = BUDGETS) -> Iterator[str]:
    """Yield what is said in each scene of a video; a short transcript takes in the other scenes' words up to `context_s` around it.

    `scenes` are all scenes of the video, in order. A scene without speech stays empty: its neighbours' words are not its own.
    """
    spoken = [word for scene in scenes for word in scene.words]
    words = _Words(spoken)
    end = 0
    for scene in scenes:
        begin, end = end, end + len(scene.words)
        said = " ".join(scene.transcript.split())
        if said and len(said) < budgets.transcript_short:
            before = words.within(scene.start_s - budgets.context_s, scene.start_s, 0, begin)
            after = words.within(scene.end_s, scene.end_s + budgets.context_s, end, len(spoken))
            said = " ".join(part for part in (before, said, after) if part)
        yield clip_text(said, budgets.transcript)


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


class _Words:
    """The words of a video, found by their times though they may overlap, and though those of edited scenes need not be in order."""

    def __init__(self, words: Sequence[Word]) -> None:
        self._words = words
        # Neither falls from word to word, so both can be bisected: the latest end of a word and all before it, and the earliest begin
        # of it and all after it.
        self._latest_ends = list(accumulate((end for _, end, _ in words), max))
        self._earliest_begins = list(accumulate((begin for begin, _, _ in reversed(words)), min))[::-1]

    def within(self, start_s: float, end_s: float, first: int, beyond: int) -> str:
        """Return the text of the words from number `first` to before `beyond` that are said, at least partly, between two times."""
        low = max(first, bisect_right(self._latest_ends, start_s))
        high = min(beyond, bisect_left(self._earliest_begins, end_s))
        return " ".join(text.strip() for begin, end, text in self._words[low:high] if begin < end_s and end > start_s)
