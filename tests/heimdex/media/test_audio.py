"""Sound comes mono, at 16 kHz, aligned with the pictures."""

import numpy as np
import pytest

from heimdex.media.audio import SAMPLE_RATE, read_audio
from heimdex.media.probe import probe
from tests import media


def test_the_tone_that_was_recorded_is_heard() -> None:
    path = media.video((50,), audio="tone")
    audio = read_audio(path, probe(path))
    assert audio.dtype == np.float32
    assert audio.size / SAMPLE_RATE == pytest.approx(2.0, abs=0.15)
    spectrum = np.abs(np.fft.rfft(audio))
    assert np.argmax(spectrum) * SAMPLE_RATE / audio.size == pytest.approx(440, abs=2)


def test_a_video_without_sound_gives_no_samples() -> None:
    path = media.video((50,))
    assert read_audio(path, probe(path)).size == 0
