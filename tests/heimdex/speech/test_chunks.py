"""Long sound is cut in its pauses, and nothing of it is lost, whoever begins where."""

from collections.abc import Iterator

import numpy as np
import pytest
from heimdex.speech.base import SAMPLE_RATE
from heimdex.speech.chunks import Chunk, split_chunks
from numpy.typing import NDArray

PAUSES_S = (7.0, 16.5, 24.2, 33.0)


def sound(seconds: float, pauses_s: tuple[float, ...] = PAUSES_S, hiss: float = 0.002) -> NDArray[np.float32]:
    """Make something as loud as speech with pauses of 0.4 s (given by their begin), over a hiss."""
    random = np.random.default_rng(3)
    moments = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    samples = 0.2 * np.sin(2 * np.pi * 180 * moments) * (1 + 0.5 * np.sin(2 * np.pi * 4 * moments))
    for pause_s in pauses_s:
        samples[(moments >= pause_s) & (moments < pause_s + 0.4)] = 0
    return (samples + random.normal(0, hiss, moments.size)).astype(np.float32)


def cut(samples: NDArray[np.float32], start: int = 0, block: int = 1000) -> list[Chunk]:
    blocks = (samples[first : first + block] for first in range(0, samples.size, block))
    return list(split_chunks(blocks, start=start, shortest_s=5, longest_s=12))


def test_cuts_lie_in_pauses_and_nothing_is_lost() -> None:
    samples = sound(45)
    found = cut(samples)
    np.testing.assert_array_equal(np.concatenate([chunk.samples for chunk in found]), samples)
    assert [chunk.start for chunk in found[1:]] == [chunk.end for chunk in found[:-1]]
    assert all(5 * SAMPLE_RATE <= chunk.samples.size <= 12 * SAMPLE_RATE for chunk in found[:-1])
    borders = [chunk.start_s for chunk in found[1:]]
    assert all(any(pause < border < pause + 0.4 for pause in PAUSES_S) for border in borders), borders


def test_one_who_goes_on_gets_the_same_chunks() -> None:
    samples = sound(60)
    found = cut(samples)
    for place in range(len(found)):
        again = cut(samples, start=found[place].start, block=777)
        assert [(one.start, one.end) for one in again] == [(one.start, one.end) for one in found[place:]]
    assert cut(samples, start=samples.size) == []


@pytest.mark.parametrize("samples", [np.zeros(40 * SAMPLE_RATE, np.float32), sound(40, pauses_s=()), sound(40, hiss=0.05)])
def test_without_pauses_chunks_stay_bounded(samples: NDArray[np.float32]) -> None:
    assert max(chunk.samples.size for chunk in cut(samples)) <= 12 * SAMPLE_RATE


def test_of_endless_sound_no_more_than_a_chunk_is_read_ahead() -> None:
    read = 0

    def endless() -> Iterator[NDArray[np.float32]]:
        nonlocal read
        while True:
            read += SAMPLE_RATE
            yield np.zeros(SAMPLE_RATE, np.float32)

    first = next(split_chunks(endless(), shortest_s=5, longest_s=12))
    assert read <= 12 * SAMPLE_RATE
    assert first.samples.size <= 12 * SAMPLE_RATE
