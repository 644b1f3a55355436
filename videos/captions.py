"""Cut what is said into captions: short lines, timed by the words. Pure."""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from videos.composition import SceneSpeech, Word

# What broadcasters agree on (EBU-TT-D, BBC Subtitle Guidelines): two lines that are read at a glance, for one to seven seconds.
LINE_WIDTH, LINES = 42, 2
SHORTEST_S, LONGEST_S = 1.0, 7.0
# After such a pause somebody begins anew.
PAUSE_S = 1.5
_LEAST_APART_S = 0.05
_SENTENCE_ENDS = (".", "!", "?", "…", "。", "！", "？")


@dataclass(frozen=True)
class Cue:
    """One caption: its lines, from when to when (seconds)."""

    start_s: float
    end_s: float
    lines: tuple[str, ...]


def cues(scenes: Iterable[SceneSpeech]) -> list[Cue]:
    """Return the captions of consecutive scenes; none overlaps the next, and none goes over a cut.

    Times are those of the words. A scene whose words have none (its owner wrote another text) shares its whole span among its captions.
    """
    found: list[Cue] = []
    for scene in scenes:
        found += _timed(scene.words) if scene.words else _shared(scene)
    starts: list[float] = []
    for cue in found:
        starts.append(max(cue.start_s, starts[-1] + _LEAST_APART_S) if starts else max(cue.start_s, 0.0))
    ends = [max(cue.end_s, start + SHORTEST_S) for cue, start in zip(found, starts, strict=True)]
    ends = [min(end, following) for end, (_, following) in zip(ends, pairwise(starts), strict=False)] + ends[-1:]
    return [Cue(start, end, cue.lines) for start, end, cue in zip(starts, ends, found, strict=True)]


def lines_of(texts: Sequence[str]) -> list[str]:
    """Fill lines of at most LINE_WIDTH with texts that are each no wider; East Asian wide characters count twice."""
    lines: list[str] = []
    for text in texts:
        if lines and width(lines[-1]) + 1 + width(text) <= LINE_WIDTH:
            lines[-1] += f" {text}"
        else:
            lines.append(text)
    return lines


def width(text: str) -> int:
    """Return how many narrow characters are as wide as a text."""
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


def _timed(words: Sequence[Word]) -> list[Cue]:
    found: list[Cue] = []
    group: list[Word] = []
    for word in (piece for whole in words for piece in _pieces(*whole)):
        if group and _ends_before(group, word):
            found.append(_cue(group))
            group = []
        group.append(word)
    return [*found, _cue(group)] if group else found


def _ends_before(group: Sequence[Word], word: Word) -> bool:
    texts = [text for _, _, text in group]
    lines = lines_of([*texts, word[2]])
    sentence_ended = texts[-1].endswith(_SENTENCE_ENDS) and len(lines_of(texts)) == LINES
    return len(lines) > LINES or word[1] - group[0][0] > LONGEST_S or word[0] - group[-1][1] > PAUSE_S or sentence_ended


def _cue(group: Sequence[Word]) -> Cue:
    return Cue(group[0][0], max(end for _, end, _ in group), tuple(lines_of([text for _, _, text in group])))


def _shared(scene: SceneSpeech) -> list[Cue]:
    """Give each caption of an untimed text a share of the scene's span by its length."""
    lines = lines_of([text for whole in scene.transcript.split() for _, _, text in _pieces(0.0, 0.0, whole)])
    total = sum(map(len, lines))
    seconds = scene.end_s - scene.start_s
    found: list[Cue] = []
    said = 0
    for first in range(0, len(lines), LINES):
        shown = tuple(lines[first : first + LINES])
        begins, said = said, said + sum(map(len, shown))
        found.append(Cue(scene.start_s + seconds * begins / total, scene.start_s + seconds * said / total, shown))
    return found


def _pieces(start: float, end: float, text: str) -> Iterator[Word]:
    """Yield a word without control characters, in pieces that fit a line; they share its time."""
    plain = "".join(" " if unicodedata.category(one) in ("Cc", "Zl", "Zp") else one for one in text)
    pieces: list[str] = []
    for part in plain.split():
        pieces.append("")
        for one in part:
            if width(pieces[-1]) + width(one) > LINE_WIDTH:
                pieces.append("")
            pieces[-1] += one
    for place, piece in enumerate(pieces):
        yield start + (end - start) * place / len(pieces), start + (end - start) * (place + 1) / len(pieces), piece
