"""Tokens, cost and time of a plan."""

from decimal import Decimal

import pytest

from reprocess.planning.plan import TimeRange, compute_cost, estimate_remaining_time, estimate_time, estimate_tokens


def test_four_characters_make_a_token() -> None:
    assert estimate_tokens(3, 100.0) == 75
    assert estimate_tokens(1, 6.0) == 2
    assert estimate_tokens(0, 100.0) == 0


def test_prices_are_per_million_tokens() -> None:
    prices = {"small": Decimal("0.02")}
    assert compute_cost(2_000_000, "small", prices) == Decimal("0.04")
    assert compute_cost(500, "small", prices) == Decimal("0.00001")
    assert compute_cost(2_000_000, "local", prices) == 0


def test_the_time_lies_between_the_fastest_and_the_slowest_run() -> None:
    assert estimate_time(100, [10.0, 4.0, 5.0]) == TimeRange(10.0, 25.0)
    # A run that did nothing measures nothing.
    assert estimate_time(100, [0.0, 5.0]) == TimeRange(20.0, 20.0)
    assert estimate_time(100, [0.5]) == TimeRange(200.0, 200.0)


def test_without_a_measurement_only_nothing_takes_a_known_time() -> None:
    assert estimate_time(100, []) is None
    assert estimate_time(1, [0.0]) is None
    assert estimate_time(0, []) == TimeRange(0.0, 0.0)


def test_ranges_add_up() -> None:
    assert TimeRange(1.0, 2.0) + TimeRange(10.0, 20.0) == TimeRange(11.0, 22.0)


@pytest.mark.parametrize(("share", "expected"), [(0.25, 180.0), (0.5, 60.0), (1.0, 0.0), (0.0, None)])
def test_the_rest_takes_as_long_as_the_pace_so_far_says(share: float, expected: float | None) -> None:
    assert estimate_remaining_time(share, 60.0) == expected
