"""Transcribe sound of any length in chunks, so that a caller can store each chunk and resume after it."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heimdex.speech.base import SAMPLE_RATE, Transcriber, Word
from heimdex.speech.chunks import split_chunks


@dataclass(frozen=True)
class TranscribedChunk:
    """The words from sample `start` to `end`, timed in the whole sound. `language` is None when nobody speaks."""

    start: int
    end: int
    language: str | None
    words: tuple[Word, ...]


def transcribe_chunks(
    transcriber: Transcriber,
    blocks: Iterable[NDArray[np.float32]],
    *,
    start: int = 0,
    language: str | None = None,
    on_progress: Callable[[float], None] = lambda reached_s: None,
) -> Iterator[TranscribedChunk]:
    """Yield the words from sample `start` on, one chunk at a time. `on_progress` gets the second of the sound that was reached.

    Without a `language` the model detects that of each chunk, so a film of two languages keeps both.
    """
    for chunk in split_chunks(blocks, start=start):
        seconds = chunk.samples.size / SAMPLE_RATE

        def report(share: float, start_s: float = chunk.start_s, seconds: float = seconds) -> None:
            on_progress(start_s + share * seconds)

        transcript = transcriber.transcribe(chunk.samples, language=language, on_progress=report)
        words = tuple(_shift(word, chunk.start_s, chunk.start_s + seconds) for word in transcript.words)
        yield TranscribedChunk(chunk.start, chunk.end, transcript.language, words)


def find_main_language(chunks: Iterable[tuple[str, int]]) -> str:
    """Return the language of most words, or an empty string when nobody speaks. `chunks` gives the language and word count of each."""
    words_by_language: Counter[str] = Counter()
    for language, words in chunks:
        if language and words:
            words_by_language[language] += words
    return words_by_language.most_common(1)[0][0] if words_by_language else ""


def _shift(word: Word, start_s: float, end_s: float) -> Word:
    """Move a word to its time in the whole sound. Clip it, because models may end the last word after the end of the chunk."""
    shifted_s = min(start_s + word.start_s, end_s)
    return Word(shifted_s, max(shifted_s, min(start_s + word.end_s, end_s)), word.text, word.probability)
