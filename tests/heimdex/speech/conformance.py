"""The tests that every transcriber has to pass. A test class per transcriber inherits them."""

import itertools
from functools import cache

import numpy as np
import pytest

from bench.word_errors import count_word_errors
from demo.film import decode_speech, load_reference_texts
from heimdex.speech.base import Transcriber
from tests.media import RATE, make_sound


class TranscriberConformance:
    """Subclass with `transcriber`, one instance for all tests."""

    transcriber: Transcriber
    # V5 of the project's goals.
    most_word_errors = 0.06

    def test_it_has_an_identity_and_no_problems(self) -> None:
        assert self.transcriber.check() == []
        assert self.transcriber.identity
        assert self.transcriber.supports_language("en")
        assert not self.transcriber.supports_language("tlh")

    def test_clear_speech_is_transcribed(self) -> None:
        errors = words = 0
        for name, text in load_reference_texts().items():
            transcript = self.transcriber.transcribe(load_recording(name)).text
            errors += count_word_errors(text, transcript)
            words += len(text.split())
        assert errors / words <= self.most_word_errors

    def test_words_have_ascending_times_within_the_audio(self) -> None:
        audio = load_recording(next(iter(load_reference_texts())))
        shares: list[float] = []
        transcript = self.transcriber.transcribe(audio, on_progress=shares.append)
        words = transcript.words
        assert len(words) > 15
        assert all(word.text == word.text.strip() != "" and word.start_s <= word.end_s for word in words)
        assert all(before.start_s <= after.start_s for before, after in itertools.pairwise(words))
        assert words[0].start_s >= 0
        assert words[-1].end_s <= audio.size / RATE + 0.5
        assert shares[-1] == 1.0
        assert transcript.language == "en"

    def test_a_given_language_is_used(self) -> None:
        transcript = self.transcriber.transcribe(load_recording(next(iter(load_reference_texts()))), language="en")
        assert transcript.language == "en"
        assert len(transcript.words) > 15

    @pytest.mark.parametrize("kind", ["silence", "noise", "tone", "music"])
    def test_audio_without_speech_has_no_words(self, kind: str) -> None:
        transcript = self.transcriber.transcribe(make_sound(kind, 12))
        assert transcript.text == ""
        assert transcript.language is None

    def test_empty_audio_is_not_an_error(self) -> None:
        for samples in (0, 1, 400):
            shares: list[float] = []
            assert self.transcriber.transcribe(np.zeros(samples, np.float32), on_progress=shares.append).segments == ()
            assert shares[-1] == 1.0


@cache
def load_recording(name: str) -> np.ndarray:
    """Load a recording of the demo at the sample rate of speech models."""
    return decode_speech(name, RATE)
