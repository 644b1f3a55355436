"""What a transcription server's answer (`verbose_json`) holds: segments that are believed, their words timed."""

import math
from typing import TYPE_CHECKING, Any

from heimdex.speech.base import Segment, Word
from heimdex.speech.gates import Confidence, believable
from heimdex.speech.languages import UNSPACED, code_of
from heimdex.speech.timing import timed_words

if TYPE_CHECKING:
    from openai.types.audio import TranscriptionVerbose


def segments_in(answer: "TranscriptionVerbose", start_s: float) -> list[Segment]:
    """Return the believable segments, timed from `start_s` on; ValueError when the answer is not what the protocol says."""
    if not isinstance(getattr(answer, "text", None), str) or getattr(answer, "segments", None) is None:
        raise ValueError("no text with segments")
    timed = [Word(_seconds(word.start) + start_s, _seconds(word.end) + start_s, str(word.word), 1.0) for word in answer.words or ()]
    unspaced = spoken_language(answer) in UNSPACED
    segments: list[Segment] = []
    for one in answer.segments or ():
        text = " ".join(str(one.text).split())
        mean = _reported(one, "avg_logprob", 0.0)
        report = Confidence(text, _reported(one, "no_speech_prob", 0.0), mean, _reported(one, "compression_ratio", 1.0))
        if not believable(report):
            continue
        begins, ends = _seconds(one.start) + start_s, _seconds(one.end) + start_s
        within = [word for word in timed if begins <= (word.start_s + word.end_s) / 2 < ends]
        probability = math.exp(min(mean, 0.0))
        # A language without spaces has no words to look for in the text: its pieces are taken as they are.
        words = tuple(within) if unspaced and within else timed_words(text, begins, ends, within, probability)
        segments.append(Segment(begins, ends, text, words))
    return segments


def spoken_language(answer: "TranscriptionVerbose") -> str | None:
    """Return the code of the language; servers name it by code or in English."""
    return code_of(str(getattr(answer, "language", None) or ""))


def _reported(segment: Any, name: str, otherwise: float) -> float:
    """Return a figure of a segment; not every server reports all of them."""
    value = getattr(segment, name, None)
    return otherwise if value is None else _number(value)


def _seconds(value: Any) -> float:
    return max(0.0, _number(value))


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no number")
    return float(value)
