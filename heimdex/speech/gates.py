"""Which of a speech model's segments to believe: silence and music make it write words that nobody said."""

from collections.abc import Sequence
from dataclasses import dataclass

# The bounds that Whisper's own decoder uses for "this failed, try again"; here a segment beyond them is dropped.
LOWEST_LOG_PROBABILITY = -1.0
HIGHEST_COMPRESSION = 2.4
# Doubtful speech in doubtful words: each alone is common in real recordings, together they are not.
DOUBTFUL_SPEECH, DOUBTFUL_LOG_PROBABILITY = 0.6, -0.7
MOST_REPEATS = 2


@dataclass(frozen=True)
class Confidence:
    """What a model reports about one segment, and its text."""

    text: str
    no_speech_probability: float
    mean_log_probability: float
    compression_ratio: float


def believable(segment: Confidence) -> bool:
    """Return whether a segment is likely to be words that somebody said."""
    if not any(character.isalnum() for character in segment.text):
        return False
    if segment.mean_log_probability < LOWEST_LOG_PROBABILITY or segment.compression_ratio > HIGHEST_COMPRESSION:
        return False
    return not (segment.no_speech_probability > DOUBTFUL_SPEECH and segment.mean_log_probability < DOUBTFUL_LOG_PROBABILITY)


def repeats(earlier: Sequence[str], text: str) -> bool:
    """Return whether a text was just said twice in a row: a third time, it is the model that stutters."""
    last = [said.casefold() for said in earlier[-MOST_REPEATS:]]
    return len(last) == MOST_REPEATS and set(last) == {text.casefold()}
