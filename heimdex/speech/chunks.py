"""Cut sound of any length into chunks that a speech model can hear one by one, in bounded memory."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
# A killed worker repeats one chunk, and a language needs some sentences to be recognised by.
SHORTEST_S, LONGEST_S = 30.0, 60.0
# Energy is measured by frames, and a pause is as long as a breath.
_FRAME_S, _PAUSE_S = 0.01, 0.3
# Pauses that are as quiet as the quietest within this factor of energy (1.5 dB) count as alike.
_ALIKE = 1.4


@dataclass(frozen=True, eq=False)
class Chunk:
    """A stretch of mono sound at 16 kHz, float32; `first` is the number of its first sample in the whole sound."""

    first: int
    samples: NDArray[np.float32]

    @property
    def start_s(self) -> float:
        """Where it begins in the whole sound."""
        return self.first / SAMPLE_RATE

    @property
    def end(self) -> int:
        """The number of the sample behind its last."""
        return self.first + self.samples.size


def chunks(
    blocks: Iterable[NDArray[np.float32]], *, begin: int = 0, shortest_s: float = SHORTEST_S, longest_s: float = LONGEST_S
) -> Iterator[Chunk]:
    """Yield the sound from sample `begin` on as chunks of `shortest_s` to `longest_s`, each cut in the quietest pause; the last is shorter.

    Where a chunk ends depends on nothing before its begin, so that whoever goes on from there gets the same chunks. Holds one chunk.
    """
    shortest, longest = round(shortest_s * SAMPLE_RATE), round(longest_s * SAMPLE_RATE)
    waiting: list[NDArray[np.float32]] = []
    size, skipped = 0, begin
    for block in blocks:
        kept = block[skipped:]
        skipped = max(0, skipped - block.size)
        waiting.append(kept)
        size += kept.size
        while size >= longest:
            joined = np.concatenate(waiting)
            cut = shortest + quietest(joined[shortest:longest])
            yield Chunk(begin, joined[:cut])
            # A copy, lest what was heard stays in memory.
            waiting = [joined[cut:].copy()]
            begin, size = begin + cut, size - cut
    if size:
        yield Chunk(begin, np.concatenate(waiting))


def quietest(samples: NDArray[np.float32]) -> int:
    """Return the middle of the last of the quietest pauses: the sample to cut at, that no word is cut."""
    frame = round(_FRAME_S * SAMPLE_RATE)
    frames = samples[: samples.size // frame * frame].reshape(-1, frame)
    wide = round(_PAUSE_S / _FRAME_S)
    if len(frames) <= wide:
        return samples.size // 2
    energy = np.einsum("ij,ij->i", frames, frames, dtype=np.float64)
    sums = np.concatenate([[0.0], np.cumsum(energy)])
    pauses = np.maximum(sums[wide:] - sums[:-wide], 0.0)
    # The floor is the energy of 16-bit silence, below which differences mean nothing.
    limit = max(float(pauses.min()), wide * frame / 32768.0**2) * _ALIKE
    alike = np.flatnonzero(pauses <= limit)
    # The last run of pauses without a gap between them is one long pause.
    run = alike[int(np.flatnonzero(np.diff(alike, prepend=-2) > 1)[-1]) :]
    return int((run[0] + run[-1]) // 2 + wide // 2) * frame
