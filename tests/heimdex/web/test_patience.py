"""How long the server waits for a client."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heimdex.web.patience import Patience

START = Patience.start(30, 1000)


def test_a_client_that_does_nothing_is_left_after_the_limit() -> None:
    assert START.spend(29, 0).left_s == 1
    assert START.spend(31, 0).left_s < 0


def test_a_client_at_the_rate_is_never_left() -> None:
    patience = START
    for _ in range(1000):
        patience = patience.spend(10, 10_000)
    assert patience == START


def test_a_client_at_half_the_rate_is_left_after_twice_the_limit() -> None:
    patience, waited_s = START, 0
    while patience.left_s > 0:
        patience, waited_s = patience.spend(1, 500), waited_s + 1
    assert waited_s == 60


def test_a_fast_start_permits_no_longer_pause() -> None:
    assert START.spend(1, 10**9).left_s == 30


@given(st.lists(st.tuples(st.floats(0, 1000), st.integers(0, 10**9))))
def test_no_more_is_left_than_the_limit(waits: list[tuple[float, int]]) -> None:
    patience = START
    for waited_s, size in waits:
        patience = patience.spend(waited_s, size)
        assert patience.left_s <= START.limit_s


@pytest.mark.parametrize("size", [0, 1])
def test_one_byte_at_a_time_does_not_help(size: int) -> None:
    assert START.spend(30, size).left_s == pytest.approx(0, abs=0.01)
