"""Similarities become probabilities."""

import math

import pytest

from heimdex.faces.calibration import Calibration

CALIBRATION = Calibration(threshold=0.5, middle=0.45, slope=20)


def test_the_curve_is_logistic() -> None:
    assert CALIBRATION.estimate_probability(0.45) == 0.5
    assert CALIBRATION.estimate_probability(0.5) == pytest.approx(1 / (1 + math.exp(-1)))
    assert CALIBRATION.estimate_probability(0.4) == pytest.approx(1 - CALIBRATION.estimate_probability(0.5))


def test_it_rises_and_stays_a_probability_for_any_slope() -> None:
    steep = Calibration(0.5, 0.5, 1e6)
    for calibration in (CALIBRATION, steep):
        values = [calibration.estimate_probability(step / 10) for step in range(-10, 11)]
        assert values == sorted(values)
        assert 0 <= values[0] < values[-1] <= 1


def test_nobody_is_identified_with_more_than_99_percent() -> None:
    assert CALIBRATION.estimate_probability(1.0) == 0.99
    nearly = CALIBRATION.middle + math.log(0.98 / 0.02) / CALIBRATION.slope
    assert CALIBRATION.estimate_probability(nearly) == pytest.approx(0.98)
