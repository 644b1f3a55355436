"""The estimates of a plan: tokens, cost and time."""

from decimal import Decimal

import pytest

from reprocess.planning.plan import TimeRange, compute_cost, estimate_remaining_time, estimate_time, estimate_tokens


def test_four_characters_count_as_one_token() -> None:
    assert estimate_tokens(3, 100.0) == 75
    assert estimate_tokens(1, 6.0) == 2
    assert estimate_tokens(0, 100.0) == 0


def test_prices_are_per_million_tokens() -> None:
    prices = {"small": Decimal("0.02")}
    assert compute_cost(2_000_000, "small", prices) == Decimal("0.04")
    assert compute_cost(500, "small", prices) == Decimal("0.00001")
    assert compute_cost(2_000_000, "local", prices) == 0


def test_the_time_ranges_from_the_fastest_to_the_slowest_run() -> None:
    assert estimate_time(100, [10.0, 4.0, 5.0]) == TimeRange(10.0, 25.0)
    # A run that did nothing measures nothing.
    assert estimate_time(100, [0.0, 5.0]) == TimeRange(20.0, 20.0)
    assert estimate_time(100, [0.5]) == TimeRange(200.0, 200.0)


def test_without_a_measurement_the_time_is_known_only_for_no_inputs() -> None:
    assert estimate_time(100, []) is None
    assert estimate_time(1, [0.0]) is None
    assert estimate_time(0, []) == TimeRange(0.0, 0.0)


def test_ranges_add_up() -> None:
    assert TimeRange(1.0, 2.0) + TimeRange(10.0, 20.0) == TimeRange(11.0, 22.0)


@pytest.mark.parametrize(("share", "expected"), [(0.25, 180.0), (0.5, 60.0), (1.0, 0.0), (0.0, None)])
def test_the_remaining_time_follows_the_pace_so_far(share: float, expected: float | None) -> None:
    assert estimate_remaining_time(share, 60.0) == expected
