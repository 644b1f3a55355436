"""Long audio is transcribed chunk by chunk as in one piece, and the same when a worker resumes midway."""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.word_errors import count_word_errors
from demo.film import load_reference_texts
from heimdex.speech.base import SAMPLE_RATE, Word
from heimdex.speech.chunks import TranscribedChunk, transcribe_chunks
from heimdex.speech.faster_whisper import FasterWhisperTranscriber
from tests.heimdex.speech.conformance import load_recording

PAUSE_S = 0.5
TIMES = 3


def join_recordings() -> NDArray[np.float32]:
    """Concatenate all recordings."""
    pause = np.zeros(int(PAUSE_S * SAMPLE_RATE), np.float32)
    return np.concatenate([part for name in load_reference_texts() for part in (load_recording(name), pause)])


def iter_blocks() -> Iterator[NDArray[np.float32]]:
    samples = np.tile(join_recordings(), TIMES)
    for start in range(0, samples.size, SAMPLE_RATE):
        yield samples[start : start + SAMPLE_RATE]


@pytest.fixture(scope="module")
def transcriber() -> FasterWhisperTranscriber:
    return FasterWhisperTranscriber()


@pytest.fixture(scope="module")
def transcribed(transcriber: FasterWhisperTranscriber) -> list[TranscribedChunk]:
    return list(transcribe_chunks(transcriber, iter_blocks()))


def join_words(stretches: list[TranscribedChunk]) -> list[Word]:
    return [word for stretch in stretches for word in stretch.words]


def test_no_word_is_lost_or_repeated_at_a_boundary_and_each_keeps_its_time(transcribed: list[TranscribedChunk]) -> None:
    assert len(transcribed) >= 2
    assert transcribed[0].start == 0
    assert [chunk.start for chunk in transcribed[1:]] == [chunk.end for chunk in transcribed[:-1]]
    assert transcribed[-1].end == TIMES * join_recordings().size
    expected = " ".join(list(load_reference_texts().values()) * TIMES)
    words = join_words(transcribed)
    assert count_word_errors(expected, " ".join(word.text for word in words)) <= 0.08 * len(expected.split())
    # The recordings repeat, so the first rare word does too, each time later by the same amount.
    rare = [word.start_s for word in words if "dashwood" in word.text.casefold()]
    period = join_recordings().size / SAMPLE_RATE
    places = [round(time % period, 1) for time in rare]
    per_round = len(rare) // TIMES
    assert per_round >= 1
    for place in range(per_round):
        same = rare[place::per_round]
        assert np.diff(same) == pytest.approx(period, abs=0.4), places


def test_a_worker_that_resumes_transcribes_the_rest(transcriber: FasterWhisperTranscriber, transcribed: list[TranscribedChunk]) -> None:
    reached: list[float] = []
    rest = list(transcribe_chunks(transcriber, iter_blocks(), start=transcribed[0].end, on_progress=reached.append))
    assert rest == transcribed[1:]
    assert reached == sorted(reached)
    assert reached[0] >= transcribed[0].end / SAMPLE_RATE
    assert reached[-1] == pytest.approx(transcribed[-1].end / SAMPLE_RATE)
