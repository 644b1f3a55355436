"""Rates are parsed, and say how long to wait."""

from datetime import UTC, datetime, timedelta

import pytest

from heimdex.accounts.rates import Rate, describe_wait

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "count", "seconds"), [("1/second", 1, 1), ("30/minute", 30, 60), ("600/hour", 600, 3600), ("2/day", 2, 86400)]
)
def test_a_rate_is_a_number_and_a_period(text: str, count: int, seconds: int) -> None:
    assert Rate.parse(text) == Rate(count, timedelta(seconds=seconds))


@pytest.mark.parametrize("text", ["", "30", "0/hour", "-1/hour", "30/year", "30/hours", "1.5/hour", "1/hour ", "1234567890/day"])
def test_anything_else_is_no_rate(text: str) -> None:
    with pytest.raises(ValueError, match="must look like 30/hour"):
        Rate.parse(text)


@pytest.mark.parametrize(
    ("ahead_s", "wait_s"),
    # Of four requests a minute, one is allowed while the previous ones are at most 45 seconds ahead of the clock.
    [(-1000, 0), (0, 0), (15, 0), (45, 0), (45.5, 1), (46, 1), (60, 15)],
)
def test_the_next_request_waits_until_the_burst_has_room(ahead_s: float, wait_s: int) -> None:
    assert Rate.parse("4/minute").compute_wait_s(NOW + timedelta(seconds=ahead_s), NOW) == wait_s


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(1, "1 second"), (2, "2 seconds"), (119, "119 seconds"), (120, "2 minutes"), (121, "3 minutes"), (3600, "60 minutes")],
)
def test_a_wait_is_described_as_people_say_it(seconds: int, text: str) -> None:
    assert describe_wait(seconds) == text
