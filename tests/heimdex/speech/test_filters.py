"""Credible segments, stutters and voices, at the exact thresholds."""

from unittest import mock

import numpy as np
import pytest

from heimdex.speech.filters import SegmentScores, has_voice, is_credible, is_stutter


def test_invented_segments_are_not_credible() -> None:
    assert is_credible(SegmentScores("He said so.", 0.1, -0.3, 1.2))
    assert is_credible(SegmentScores("He said so.", 0.9, -0.3, 1.2))
    assert not is_credible(SegmentScores("Thank you.", 0.9, -0.9, 1.0))
    assert not is_credible(SegmentScores("la la la la", 0.1, -0.3, 3.0))
    assert not is_credible(SegmentScores("He said so.", 0.1, -1.2, 1.2))
    assert not is_credible(SegmentScores(" ♪ ... ", 0.0, -0.1, 1.0))


def test_a_sentence_that_occurs_a_third_time_in_a_row_is_a_stutter() -> None:
    assert not is_stutter(["Yes."], "Yes.")
    assert is_stutter(["Yes.", "yes."], "YES.")
    assert not is_stutter(["Yes.", "No."], "Yes.")


@pytest.mark.parametrize(
    ("no_speech", "log_probability", "compression", "expected"),
    [
        (0.1, -1.0, 1.2, True),
        (0.1, -1.01, 1.2, False),
        (0.1, -0.3, 2.4, True),
        (0.1, -0.3, 2.41, False),
        (0.6, -0.9, 1.2, True),
        (0.61, -0.9, 1.2, False),
        (0.9, -0.7, 1.2, True),
        (0.9, -0.71, 1.2, False),
    ],
)
def test_segments_at_the_thresholds_are_credible(no_speech: float, log_probability: float, compression: float, expected: bool) -> None:
    assert is_credible(SegmentScores("He said so.", no_speech, log_probability, compression)) is expected


def test_only_the_last_two_texts_decide_about_a_stutter() -> None:
    assert is_stutter(["No.", "Yes.", "Yes."], "Yes.")
    assert not is_stutter(["Yes.", "Yes.", "No."], "Yes.")
    assert not is_stutter([], "Yes.")


@pytest.mark.parametrize(("stretches", "expected"), [([], False), ([{"start": 0, "end": 4000}], True)])
def test_a_voice_lasts_at_least_a_quarter_of_a_second(stretches: list[dict[str, int]], expected: bool) -> None:
    """The detector gets the bound in milliseconds. The tests of the models run it on real audio."""
    audio = np.zeros(16_000, np.float32)
    with mock.patch("faster_whisper.vad.get_speech_timestamps", return_value=stretches) as detector:
        assert has_voice(audio) is expected
    samples, options = detector.call_args.args
    assert samples is audio
    assert options.min_speech_duration_ms == 250
