"""What a plan counts and estimates: causes, model calls, tokens, cost and time."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest

from reprocess.planning.plan import (
    ChannelCounts,
    OwnerCounts,
    Plan,
    TimeRange,
    compute_cost,
    estimate_remaining_time,
    estimate_time,
    estimate_tokens,
    plan_channel,
    select_top_owners,
)


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


COUNTS = ChannelCounts(
    step="scene_text",
    channel="transcript",
    target_type="scenes",
    targets=100,
    missing=30,
    input_changed=3,
    step_changed=0,
    inputs=32,
    characters=50.0,
    batch_size=16,
)
PRICES = {"small": Decimal("10000")}


def test_a_plan_counts_stale_targets_by_cause() -> None:
    channel = plan_channel(COUNTS, "small", PRICES, force=False)
    assert channel.causes == {"missing": 30, "input changed": 3}
    assert (channel.stale, channel.targets, channel.inputs) == (33, 100, 32)
    assert (channel.tokens, channel.cost) == (400, Decimal(4))


def test_a_forced_plan_computes_every_target() -> None:
    channel = plan_channel(COUNTS, "small", PRICES, force=True)
    assert channel.causes == {"forced": 100}
    assert channel.stale == 100


@pytest.mark.parametrize(("inputs", "batch_size", "calls"), [(0, 16, 0), (1, 16, 1), (16, 16, 1), (17, 16, 2), (32, 16, 2), (32, 0, 0)])
def test_equal_inputs_are_sent_once_in_full_batches(inputs: int, batch_size: int, calls: int) -> None:
    assert plan_channel(replace(COUNTS, inputs=inputs, batch_size=batch_size), "small", PRICES, force=False).model_calls == calls


def test_a_plan_adds_up_its_channels() -> None:
    channel = plan_channel(COUNTS, "small", PRICES, force=False)
    plan = Plan("2026-01-06", "digest", 7, (channel, channel), TimeRange(1.26, 2.24), (), 0)
    assert (plan.stale, plan.model_calls, plan.tokens, plan.cost) == (66, 4, 800, Decimal(8))
    assert plan.seconds == [1.3, 2.2]
    assert replace(plan, time=None).seconds is None
    assert replace(plan, channels=()).cost == 0


def test_the_25_owners_with_the_most_stale_vectors_are_listed() -> None:
    owners = [OwnerCounts(UUID(int=number), 1, number) for number in range(30)]
    top, number = select_top_owners(owners)
    assert [owner.stale for owner in top] == list(range(29, 4, -1))
    assert number == 29
