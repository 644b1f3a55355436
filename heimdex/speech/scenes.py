"""Which words belong to which scene."""

from heimdex.speech.base import Transcript, Word


def words_between(transcript: Transcript, start_s: float, end_s: float) -> list[Word]:
    """Return the words whose middle lies in [start_s, end_s), so that each word belongs to exactly one scene."""
    return [word for word in transcript.words if start_s <= (word.start_s + word.end_s) / 2 < end_s]


def text_between(transcript: Transcript, start_s: float, end_s: float) -> str:
    """Return what is said between two moments, as one line."""
    return " ".join(word.text for word in words_between(transcript, start_s, end_s))
