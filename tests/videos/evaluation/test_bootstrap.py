"""Intervals can be repeated, contain the mean, and are narrower for paired values than for each alone."""

import pytest

from videos.evaluation.bootstrap import Estimate, estimate_difference, estimate_mean


def test_the_same_values_have_the_same_interval() -> None:
    values = [0.0, 0.25, 1.0, 0.5, 0.0, 1.0, 1.0]
    assert estimate_mean(values) == estimate_mean(values)


def test_equal_values_have_an_interval_of_no_width() -> None:
    assert estimate_mean([0.5] * 9) == Estimate(0.5, 0.5, 0.5)


def test_the_interval_has_the_width_of_theory() -> None:
    # 1.96 standard errors of a share of one half.
    estimate = estimate_mean([0.0, 1.0] * 200)
    assert estimate.mean == 0.5
    assert estimate.high - estimate.low == pytest.approx(2 * 1.96 * 0.5 / 20, rel=0.1)


def test_a_difference_is_paired_by_query() -> None:
    first = [0.1 * (place % 10) for place in range(100)]
    second = [value - 0.05 for value in first]
    estimate = estimate_difference(first, second)
    assert (estimate.low, estimate.high) == (pytest.approx(0.05), pytest.approx(0.05))
    assert estimate_mean(first).high - estimate_mean(first).low > 0.1
    with pytest.raises(ValueError):
        estimate_difference([1.0], [1.0, 2.0])


def test_no_values_have_no_mean() -> None:
    with pytest.raises(ValueError, match="no values"):
        estimate_mean([])
