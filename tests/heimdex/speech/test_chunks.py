"""Long audio is cut in its pauses, and nothing is lost, wherever a caller starts."""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from heimdex.speech import chunks
from heimdex.speech.base import SAMPLE_RATE
from heimdex.speech.chunks import Chunk, find_quietest_pause, split_chunks

PAUSES_S = (7.0, 16.5, 24.2, 33.0)


def make_audio(seconds: float, pauses_s: tuple[float, ...] = PAUSES_S, hiss: float = 0.002) -> NDArray[np.float32]:
    """Make noise as loud as speech with pauses of 0.4 s (given by their starts), over a hiss."""
    random = np.random.default_rng(3)
    moments = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    samples = 0.2 * np.sin(2 * np.pi * 180 * moments) * (1 + 0.5 * np.sin(2 * np.pi * 4 * moments))
    for pause_s in pauses_s:
        samples[(moments >= pause_s) & (moments < pause_s + 0.4)] = 0
    return (samples + random.normal(0, hiss, moments.size)).astype(np.float32)


def split_audio(samples: NDArray[np.float32], start: int = 0, block: int = 1000) -> list[Chunk]:
    blocks = (samples[first : first + block] for first in range(0, samples.size, block))
    return list(split_chunks(blocks, start=start, shortest_s=5, longest_s=12))


def test_cuts_are_in_pauses_and_nothing_is_lost() -> None:
    samples = make_audio(45)
    chunks = split_audio(samples)
    np.testing.assert_array_equal(np.concatenate([chunk.samples for chunk in chunks]), samples)
    assert [chunk.start for chunk in chunks[1:]] == [chunk.end for chunk in chunks[:-1]]
    assert all(5 * SAMPLE_RATE <= chunk.samples.size <= 12 * SAMPLE_RATE for chunk in chunks[:-1])
    boundaries = [chunk.start_s for chunk in chunks[1:]]
    assert all(any(pause < boundary < pause + 0.4 for pause in PAUSES_S) for boundary in boundaries), boundaries


def test_a_caller_that_resumes_gets_the_same_chunks() -> None:
    samples = make_audio(60)
    chunks = split_audio(samples)
    for place in range(len(chunks)):
        again = split_audio(samples, start=chunks[place].start, block=777)
        assert [(chunk.start, chunk.end) for chunk in again] == [(chunk.start, chunk.end) for chunk in chunks[place:]]
    assert split_audio(samples, start=samples.size) == []


@pytest.mark.parametrize("samples", [np.zeros(40 * SAMPLE_RATE, np.float32), make_audio(40, pauses_s=()), make_audio(40, hiss=0.05)])
def test_without_pauses_chunks_stay_bounded(samples: NDArray[np.float32]) -> None:
    assert max(chunk.samples.size for chunk in split_audio(samples)) <= 12 * SAMPLE_RATE


def test_at_most_one_chunk_of_endless_audio_is_read_ahead() -> None:
    read = 0

    def iter_endlessly() -> Iterator[NDArray[np.float32]]:
        nonlocal read
        while True:
            read += SAMPLE_RATE
            yield np.zeros(SAMPLE_RATE, np.float32)

    first = next(split_chunks(iter_endlessly(), shortest_s=5, longest_s=12))
    assert read <= 12 * SAMPLE_RATE
    assert first.samples.size <= 12 * SAMPLE_RATE


def make_pulses(pause_frames: dict[int, int], frames: int) -> NDArray[np.float32]:
    """Make audio with 160 samples of 0.5 per frame; the given frames have only that many samples of 0.5."""
    samples = np.full((frames, 160), 0.5, np.float32)
    for frame, loud in pause_frames.items():
        samples[frame, loud:] = 0
    return samples.reshape(-1)


def make_pause(start: int, length: int, loud: int = 0) -> dict[int, int]:
    return dict.fromkeys(range(start, start + length), loud)


@pytest.mark.parametrize(
    ("pauses_s", "end_s"),
    # The start and the loudness of pauses of half a second. The quietest one within bounds is used.
    [
        ({27: 0, 33: 1}, 33),
        ({33: 0, 45: 1}, 33),
        ({57: 0, 45: 1}, 57),
        ({64: 0, 45: 1}, 45),
    ],
)
def test_chunks_last_half_a_minute_to_a_minute_by_default(pauses_s: dict[int, int], end_s: int) -> None:
    pauses: dict[int, int] = {}
    for second, loud in pauses_s.items():
        pauses |= make_pause(second * 100, 50, loud)
    first, *_ = split_chunks([make_pulses(pauses, 9000)])
    assert end_s < first.samples.size / SAMPLE_RATE < end_s + 0.5


def test_a_cut_is_at_the_middle_frame_of_the_pause() -> None:
    # The pause of 40 frames contains eleven windows of 30 frames. The middle one starts at 205 and has its middle at 220.
    assert find_quietest_pause(make_pulses(make_pause(200, 40), 500)) == 220 * 160


@pytest.mark.parametrize(("length", "middle"), [(26, 220), (32, 416)])
def test_a_pause_lasts_three_tenths_of_a_second(length: int, middle: int) -> None:
    """The later pause is the last of the quietest if a window of 30 frames fits."""
    pauses = make_pause(200, 40) | make_pause(400, length)
    assert find_quietest_pause(make_pulses(pauses, 600)) == middle * 160


@pytest.mark.parametrize(("loud", "middle"), [(130, 415), (150, 215)])
def test_a_pause_with_slightly_more_energy_counts_as_equally_quiet(loud: int, middle: int) -> None:
    """The quietest has 100 samples in a frame."""
    pauses = make_pause(200, 30, 100) | make_pause(400, 30, loud)
    assert find_quietest_pause(make_pulses(pauses, 600)) == middle * 160


def test_a_pause_with_energy_at_the_limit_counts_as_equally_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "_EQUALLY_QUIET", 2.0)
    assert find_quietest_pause(make_pulses(make_pause(200, 30, 64) | make_pause(400, 30, 128), 600)) == 415 * 160


def test_pauses_below_16_bit_silence_are_equally_quiet() -> None:
    """The earlier pause is digital silence, and the later one hisses by one step."""
    samples = make_pulses(make_pause(200, 30) | make_pause(400, 30), 600)
    samples[400 * 160 : 430 * 160] = 1 / 32768
    assert find_quietest_pause(samples) == 415 * 160
    samples[400 * 160 : 430 * 160] = 1.3 / 32768
    assert find_quietest_pause(samples) == 215 * 160


def test_audio_as_short_as_a_pause_is_cut_in_its_middle() -> None:
    assert find_quietest_pause(make_pulses(make_pause(0, 5), 30)) == 30 * 80
    assert find_quietest_pause(make_pulses(make_pause(0, 5), 31)) == 15 * 160


def test_a_pause_at_the_start_is_found_to_the_frame() -> None:
    """31 silent frames of ten milliseconds hold two pauses of 30."""
    samples = np.full(100 * 160 + 7, 0.5, np.float32)
    samples[: 31 * 160] = 0
    assert find_quietest_pause(samples) == 15 * 160


def test_even_noise_is_cut_in_its_middle() -> None:
    assert find_quietest_pause(np.full(100 * 160, 0.004, np.float32)) == 50 * 160
