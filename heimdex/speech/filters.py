"""Reject audio without a voice, and segments that speech models invent from silence and music."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# The shortest cry of a person. Shorter sounds are knocks.
MIN_VOICE_MS = 250
# Whisper's own decoder retries a segment beyond these bounds; we drop it.
MIN_LOG_PROBABILITY = -1.0
MAX_COMPRESSION = 2.4
# Doubtful speech with doubtful words: each alone is common in real recordings, both together are not.
DOUBTFUL_NO_SPEECH, DOUBTFUL_LOG_PROBABILITY = 0.6, -0.7
MAX_REPEATS = 2


@dataclass(frozen=True)
class SegmentScores:
    """The text of a segment and the scores that a model reports for it."""

    text: str
    no_speech_probability: float
    mean_log_probability: float
    compression_ratio: float


def has_voice(audio: NDArray[np.float32]) -> bool:
    """Return whether mono audio at 16 kHz contains a voice, according to the Silero detector that faster-whisper includes.

    Call it before any speech model, because all of them write words for noise.
    """
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    return bool(get_speech_timestamps(audio, VadOptions(min_speech_duration_ms=MIN_VOICE_MS)))


def is_credible(segment: SegmentScores) -> bool:
    """Return whether a segment likely consists of words that somebody said."""
    if not any(character.isalnum() for character in segment.text):
        return False
    if segment.mean_log_probability < MIN_LOG_PROBABILITY or segment.compression_ratio > MAX_COMPRESSION:
        return False
    return not (segment.no_speech_probability > DOUBTFUL_NO_SPEECH and segment.mean_log_probability < DOUBTFUL_LOG_PROBABILITY)


def is_stutter(earlier: Sequence[str], text: str) -> bool:
    """Return whether the last two texts equal this one. A second repetition comes from the model, not from the speaker."""
    last = [previous.casefold() for previous in earlier[-MAX_REPEATS:]]
    return len(last) == MAX_REPEATS and set(last) == {text.casefold()}
