"""Divide transcripts into captions, short lines that follow the times of the words, and format them as SubRip and WebVTT files. Pure."""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from heimdex.speech.words import join_words
from videos.embedding_texts import SceneSpeech, Word

# Broadcasters' guidelines (EBU-TT-D, BBC Subtitle Guidelines): at most two lines, shown for one to seven seconds.
LINE_WIDTH, MAX_LINES = 42, 2
MIN_DURATION_S, MAX_DURATION_S = 1.0, 7.0
# A longer pause between two words starts a new caption.
MAX_PAUSE_S = 1.5
# Captions start at least this far apart, even when several words start at the same time.
MIN_START_DISTANCE_S = 0.05
_SENTENCE_ENDS = (".", "!", "?", "…", "。", "！", "？")

# SubRip has no escapes, and players interpret these characters as markup. The look-alikes are always shown as text.
_SUBRIP_REPLACEMENTS = str.maketrans({"<": "‹", ">": "›", "{": "(", "}": ")"})
# W3C WebVTT, section 4.2: cue text.
_WEBVTT_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


@dataclass(frozen=True)
class Caption:
    """The lines of one caption, and when it is shown (seconds)."""

    start_s: float
    end_s: float
    lines: tuple[str, ...]


def build_captions(scenes: Iterable[SceneSpeech]) -> list[Caption]:
    """Return the captions of consecutive scenes. Captions do not overlap, and none crosses a cut.

    They follow the times of the words. The captions of a scene whose words have no times, because its owner rewrote the text, share the
    scene's duration.
    """
    captions: list[Caption] = []
    for scene in scenes:
        captions += _build_from_words(scene.words) if scene.words else _build_from_text(scene)
    starts: list[float] = []
    for caption in captions:
        starts.append(max(caption.start_s, starts[-1] + MIN_START_DISTANCE_S) if starts else max(caption.start_s, 0.0))
    ends = [max(caption.end_s, start + MIN_DURATION_S) for caption, start in zip(captions, starts, strict=True)]
    ends = [min(end, following) for end, (_, following) in zip(ends, pairwise(starts), strict=False)] + ends[-1:]
    return [Caption(start, end, caption.lines) for start, end, caption in zip(starts, ends, captions, strict=True)]


def measure_width(text: str) -> int:
    """Return the width of a text in narrow characters. East Asian wide characters count twice."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _fill_lines(texts: Sequence[str]) -> list[str]:
    """Fill lines of at most LINE_WIDTH with texts of at most that width."""
    lines: list[str] = []
    for text in texts:
        if lines and measure_width(joined := join_words([lines[-1], text])) <= LINE_WIDTH:
            lines[-1] = joined
        else:
            lines.append(text)
    return lines


def _build_from_words(words: Sequence[Word]) -> list[Caption]:
    captions: list[Caption] = []
    group: list[Word] = []
    for word in (piece for whole in words for piece in _split_word(*whole)):
        if group and _is_caption_start(group, word):
            captions.append(_make_caption(group))
            group = []
        group.append(word)
    return [*captions, _make_caption(group)] if group else captions


def _is_caption_start(group: Sequence[Word], word: Word) -> bool:
    """Return whether a word starts a new caption instead of joining the group of words before it."""
    texts = [text for _, _, text in group]
    lines = _fill_lines([*texts, word[2]])
    is_full_sentence = texts[-1].endswith(_SENTENCE_ENDS) and len(_fill_lines(texts)) == MAX_LINES
    is_too_long = len(lines) > MAX_LINES or word[1] - group[0][0] > MAX_DURATION_S
    return is_too_long or word[0] - group[-1][1] > MAX_PAUSE_S or is_full_sentence


def _make_caption(group: Sequence[Word]) -> Caption:
    return Caption(group[0][0], max(end for _, end, _ in group), tuple(_fill_lines([text for _, _, text in group])))


def _build_from_text(scene: SceneSpeech) -> list[Caption]:
    """Give each caption of a text without times a share of the scene's duration in proportion to its length."""
    lines = _fill_lines([text for word in scene.transcript.split() for _, _, text in _split_word(0.0, 0.0, word)])
    total = sum(map(len, lines))
    seconds = scene.end_s - scene.start_s
    captions: list[Caption] = []
    done = 0
    for first in range(0, len(lines), MAX_LINES):
        shown = tuple(lines[first : first + MAX_LINES])
        start, done = done, done + sum(map(len, shown))
        captions.append(Caption(scene.start_s + seconds * start / total, scene.start_s + seconds * done / total, shown))
    return captions


def _split_word(start_s: float, end_s: float, text: str) -> Iterator[Word]:
    """Yield a word without control characters, in pieces that fit a line. The pieces share its time."""
    plain = "".join(" " if unicodedata.category(character) in ("Cc", "Zl", "Zp") else character for character in text)
    pieces: list[str] = []
    for part in plain.split():
        pieces.append("")
        for character in part:
            if measure_width(pieces[-1]) + measure_width(character) > LINE_WIDTH:
                pieces.append("")
            pieces[-1] += character
    share_s = (end_s - start_s) / len(pieces) if pieces else 0.0
    for position, piece in enumerate(pieces):
        yield start_s + share_s * position, start_s + share_s * (position + 1), piece


def format_subrip(captions: Iterable[Caption]) -> str:
    """Return a SubRip file (.srt)."""
    return "\n".join(
        f"{number}\n{_format_time(caption.start_s, ',')} --> {_format_time(caption.end_s, ',')}\n"
        f"{_join_lines(caption).translate(_SUBRIP_REPLACEMENTS)}\n"
        for number, caption in enumerate(captions, 1)
    )


def format_webvtt(captions: Iterable[Caption]) -> str:
    """Return a WebVTT file (.vtt)."""
    blocks = (
        f"\n{_format_time(caption.start_s, '.')} --> {_format_time(caption.end_s, '.')}\n"
        f"{_join_lines(caption).translate(_WEBVTT_ESCAPES)}\n"
        for caption in captions
    )
    return "WEBVTT\n" + "".join(blocks)


def _join_lines(caption: Caption) -> str:
    return "\n".join(caption.lines)


def _format_time(seconds: float, decimal_point: str) -> str:
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    minutes, whole = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{whole:02}{decimal_point}{milliseconds:03}"
