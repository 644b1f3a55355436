"""Hear sound of any length, chunk by chunk, so that what was heard can be kept and gone on from."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heimdex.speech.base import SAMPLE_RATE, Transcriber, Word
from heimdex.speech.chunks import chunks


@dataclass(frozen=True)
class Heard:
    """What is said from sample `first` up to `end`, words timed in the whole sound; `language` None when nobody speaks."""

    first: int
    end: int
    language: str | None
    words: tuple[Word, ...]


def listen(
    transcriber: Transcriber,
    blocks: Iterable[NDArray[np.float32]],
    *,
    begin: int = 0,
    language: str | None = None,
    on_progress: Callable[[float], None] = lambda reached_s: None,
) -> Iterator[Heard]:
    """Yield what is said from sample `begin` on, a chunk at a time; `on_progress` gets the second of the sound that is reached.

    Without a `language` each chunk's is found out, so a film of two languages keeps both.
    """
    for chunk in chunks(blocks, begin=begin):
        seconds = chunk.samples.size / SAMPLE_RATE

        def report(share: float, start_s: float = chunk.start_s, seconds: float = seconds) -> None:
            on_progress(start_s + share * seconds)

        transcript = transcriber.transcribe(chunk.samples, language=language, on_progress=report)
        words = tuple(_shifted(word, chunk.start_s, chunk.start_s + seconds) for word in transcript.words)
        yield Heard(chunk.first, chunk.end, transcript.language, words)


def main_language(heard: Iterable[tuple[str, int]]) -> str:
    """Return the language that most words are in, given each stretch's language and number of words; empty when nobody speaks."""
    counted: Counter[str] = Counter()
    for language, words in heard:
        if language and words:
            counted[language] += words
    return counted.most_common(1)[0][0] if counted else ""


def _shifted(word: Word, start_s: float, end_s: float) -> Word:
    """Place a word in the whole sound; models may end the last one behind the end of what they heard."""
    begins = min(start_s + word.start_s, end_s)
    return Word(begins, max(begins, min(start_s + word.end_s, end_s)), word.text, word.probability)
