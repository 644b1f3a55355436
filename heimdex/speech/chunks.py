"""Split audio of any length into chunks and transcribe them one by one, in bounded memory. A caller can resume after any chunk."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heimdex.errors import InputBreaksServer
from heimdex.speech.base import SAMPLE_RATE, Transcriber, Word

# A killed worker repeats one chunk, and language detection needs some sentences.
SHORTEST_S, LONGEST_S = 30.0, 60.0
# Energy is measured per frame, and a pause is as long as a breath.
_FRAME_S, _PAUSE_S = 0.01, 0.3
# Pauses within this factor of energy (1.5 dB) of the quietest count as equally quiet.
_EQUALLY_QUIET = 1.4


@dataclass(frozen=True, eq=False)
class Chunk:
    """A stretch of mono audio at 16 kHz, float32. `start` is the index of its first sample in the whole audio."""

    start: int
    samples: NDArray[np.float32]

    @property
    def start_s(self) -> float:
        """The start in the whole audio, in seconds."""
        return self.start / SAMPLE_RATE

    @property
    def end(self) -> int:
        """The index after the last sample."""
        return self.start + self.samples.size


def split_chunks(
    blocks: Iterable[NDArray[np.float32]], *, start: int = 0, shortest_s: float = SHORTEST_S, longest_s: float = LONGEST_S
) -> Iterator[Chunk]:
    """Yield the audio from sample `start` on in chunks of `shortest_s` to `longest_s`, each cut in the quietest pause.

    The last chunk may be shorter. The start of a chunk alone determines its end, so that a caller who resumes gets the same chunks.
    Memory holds one chunk.
    """
    shortest, longest = round(shortest_s * SAMPLE_RATE), round(longest_s * SAMPLE_RATE)
    pending: list[NDArray[np.float32]] = []
    size, to_skip = 0, start
    for block in blocks:
        rest = block[to_skip:]
        to_skip = max(0, to_skip - block.size)
        pending.append(rest)
        size += rest.size
        while size >= longest:
            joined = np.concatenate(pending)
            cut = shortest + find_quietest_pause(joined[shortest:longest])
            yield Chunk(start, joined[:cut])
            # A copy, so that transcribed audio does not stay in memory.
            pending = [joined[cut:].copy()]
            start, size = start + cut, size - cut
    if size:
        yield Chunk(start, np.concatenate(pending))


def find_quietest_pause(samples: NDArray[np.float32]) -> int:
    """Return the middle sample of the last of the quietest pauses. A cut there splits no word."""
    frame = round(_FRAME_S * SAMPLE_RATE)
    frames = samples[: samples.size // frame * frame].reshape(-1, frame)
    width = round(_PAUSE_S / _FRAME_S)
    if len(frames) <= width:
        return samples.size // 2
    energy = np.einsum("ij,ij->i", frames, frames, dtype=np.float64)
    sums = np.concatenate([[0.0], np.cumsum(energy)])
    pauses = np.maximum(sums[width:] - sums[:-width], 0.0)
    # The floor is the energy of 16-bit silence, below which differences mean nothing.
    limit = max(float(pauses.min()), width * frame / 32768.0**2) * _EQUALLY_QUIET
    quiet = np.flatnonzero(pauses <= limit)
    # The last run of consecutive pauses is one long pause.
    run = quiet[int(np.flatnonzero(np.diff(quiet, prepend=-2) > 1)[-1]) :]
    return int((run[0] + run[-1]) // 2 + width // 2) * frame


@dataclass(frozen=True)
class TranscribedChunk:
    """The words from sample `start` to `end`, with times in the whole audio. `language` is None without speech.

    `problem` is why it could not be transcribed, for operators.
    """

    start: int
    end: int
    language: str | None
    words: tuple[Word, ...]
    problem: str = ""


def transcribe_chunks(
    transcriber: Transcriber,
    blocks: Iterable[NDArray[np.float32]],
    *,
    start: int = 0,
    language: str | None = None,
    on_progress: Callable[[float], None] = lambda reached_s: None,
) -> Iterator[TranscribedChunk]:
    """Yield the words from sample `start` on, one chunk at a time. `on_progress` gets the seconds of audio that are done.

    Without `language`, the model detects the language of each chunk, so a film in two languages is transcribed in both.
    """
    for chunk in split_chunks(blocks, start=start):
        seconds = chunk.samples.size / SAMPLE_RATE

        def report(share: float, start_s: float = chunk.start_s, seconds: float = seconds) -> None:
            on_progress(start_s + share * seconds)

        try:
            transcript = transcriber.transcribe(chunk.samples, language=language, on_progress=report)
        except InputBreaksServer as error:
            yield TranscribedChunk(chunk.start, chunk.end, None, (), str(error))
            continue
        words = tuple(_shift(word, chunk.start_s, chunk.start_s + seconds) for word in transcript.words)
        yield TranscribedChunk(chunk.start, chunk.end, transcript.language, words)


def find_main_language(chunks: Iterable[tuple[str, int]]) -> str:
    """Return the language of most words, or an empty string without speech. `chunks` are pairs of language and word count."""
    words_by_language: Counter[str] = Counter()
    for language, words in chunks:
        if language and words:
            words_by_language[language] += words
    return words_by_language.most_common(1)[0][0] if words_by_language else ""


def _shift(word: Word, start_s: float, end_s: float) -> Word:
    """Move a word to its time in the whole audio. Clip it, because models may end the last word after the end of the chunk."""
    shifted_s = min(start_s + word.start_s, end_s)
    return Word(shifted_s, max(shifted_s, min(start_s + word.end_s, end_s)), word.text, word.probability)
