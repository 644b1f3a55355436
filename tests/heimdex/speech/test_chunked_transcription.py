"""Long sound is heard chunk by chunk as it would be in one, and from the middle on as from the beginning."""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.word_errors import count_word_errors
from demo.film import reference_texts
from heimdex.speech.base import SAMPLE_RATE, Word
from heimdex.speech.chunks import TranscribedChunk, transcribe_chunks
from heimdex.speech.faster_whisper import FasterWhisperTranscriber
from tests.heimdex.speech.conformance import recording

PAUSE_S = 0.5
TIMES = 3


def once() -> NDArray[np.float32]:
    """Return all recordings, one behind the other."""
    pause = np.zeros(int(PAUSE_S * SAMPLE_RATE), np.float32)
    return np.concatenate([part for name in reference_texts() for part in (recording(name), pause)])


def blocks() -> Iterator[NDArray[np.float32]]:
    samples = np.tile(once(), TIMES)
    for start in range(0, samples.size, SAMPLE_RATE):
        yield samples[start : start + SAMPLE_RATE]


@pytest.fixture(scope="module")
def speech() -> FasterWhisperTranscriber:
    return FasterWhisperTranscriber()


@pytest.fixture(scope="module")
def heard(speech: FasterWhisperTranscriber) -> list[TranscribedChunk]:
    return list(transcribe_chunks(speech, blocks()))


def words_of(stretches: list[TranscribedChunk]) -> list[Word]:
    return [word for stretch in stretches for word in stretch.words]


def test_no_word_is_lost_or_doubled_at_a_border_and_each_has_its_time(heard: list[TranscribedChunk]) -> None:
    assert len(heard) >= 2
    assert heard[0].start == 0
    assert [one.start for one in heard[1:]] == [one.end for one in heard[:-1]]
    assert heard[-1].end == TIMES * once().size
    expected = " ".join(list(reference_texts().values()) * TIMES)
    words = words_of(heard)
    assert count_word_errors(expected, " ".join(word.text for word in words)) <= 0.08 * len(expected.split())
    # The recordings come again and again, so the first rare word does too, each time as much later.
    rare = [word.start_s for word in words if "dashwood" in word.text.casefold()]
    period = once().size / SAMPLE_RATE
    places = [round(time % period, 1) for time in rare]
    per_round = len(rare) // TIMES
    assert per_round >= 1
    for place in range(per_round):
        same = rare[place::per_round]
        assert np.diff(same) == pytest.approx(period, abs=0.4), places


def test_one_who_takes_over_hears_the_rest(speech: FasterWhisperTranscriber, heard: list[TranscribedChunk]) -> None:
    reached: list[float] = []
    rest = list(transcribe_chunks(speech, blocks(), start=heard[0].end, on_progress=reached.append))
    assert rest == heard[1:]
    assert reached == sorted(reached)
    assert reached[0] >= heard[0].end / SAMPLE_RATE
    assert reached[-1] == pytest.approx(heard[-1].end / SAMPLE_RATE)
