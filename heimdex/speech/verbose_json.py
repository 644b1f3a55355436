"""Parse a transcription server's answer (`verbose_json`) into credible segments with timed words."""

import math
from typing import TYPE_CHECKING, Any

from heimdex.speech.base import Segment, Word
from heimdex.speech.filters import SegmentScores, is_credible
from heimdex.speech.languages import UNSPACED, parse_language
from heimdex.speech.words import align_words

if TYPE_CHECKING:
    from openai.types.audio import TranscriptionVerbose


def parse_segments(answer: "TranscriptionVerbose", start_s: float) -> list[Segment]:
    """Return the credible segments, shifted by `start_s` seconds. Raise ValueError when the answer violates the protocol."""
    if not isinstance(getattr(answer, "text", None), str) or getattr(answer, "segments", None) is None:
        raise ValueError("no text with segments")
    timed = [Word(_seconds(word.start) + start_s, _seconds(word.end) + start_s, str(word.word), 1.0) for word in answer.words or ()]
    is_unspaced = detect_language(answer) in UNSPACED
    segments: list[Segment] = []
    for segment in answer.segments or ():
        text = " ".join(str(segment.text).split())
        mean = _score(segment, "avg_logprob", 0.0)
        scores = SegmentScores(text, _score(segment, "no_speech_prob", 0.0), mean, _score(segment, "compression_ratio", 1.0))
        if not is_credible(scores):
            continue
        segment_start_s, segment_end_s = _seconds(segment.start) + start_s, _seconds(segment.end) + start_s
        inside = [word for word in timed if segment_start_s <= (word.start_s + word.end_s) / 2 < segment_end_s]
        probability = math.exp(min(mean, 0.0))
        # A text without spaces has no words to align: the server's words are used as they are.
        words = tuple(inside) if is_unspaced and inside else align_words(text, segment_start_s, segment_end_s, inside, probability)
        segments.append(Segment(segment_start_s, segment_end_s, text, words))
    return segments


def detect_language(answer: "TranscriptionVerbose") -> str | None:
    """Return the code of the language. Servers name it by code or in English."""
    return parse_language(str(getattr(answer, "language", None) or ""))


def _score(segment: Any, name: str, default: float) -> float:
    """Return a score of a segment, or the default, because not every server reports all scores."""
    value = getattr(segment, name, None)
    return default if value is None else _number(value)


def _seconds(value: Any) -> float:
    return max(0.0, _number(value))


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is not a number")
    return float(value)
