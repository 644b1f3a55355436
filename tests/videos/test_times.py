"""Times are formatted and parsed."""

import pytest

from videos.times import format_time, parse_seconds


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0:00"), (9.99, "0:09"), (60, "1:00"), (754.2, "12:34"), (3599.9, "59:59"), (3600, "1:00:00"), (36_061, "10:01:01")],
)
def test_times_are_formatted_as_in_players(seconds: float, shown: str) -> None:
    assert format_time(seconds) == shown


@pytest.mark.parametrize(("seconds", "shown"), [(0.04, "0:00.0"), (12.5, "0:12.5"), (59.96, "1:00.0"), (3725.04, "1:02:05.0")])
def test_tenths_are_rounded(seconds: float, shown: str) -> None:
    assert format_time(seconds, with_tenths=True) == shown


@pytest.mark.parametrize(("text", "seconds"), [("12.5", 12.5), ("-1", None), ("nan", None), ("1e9", None), ("soon", None)])
def test_only_seconds_within_a_year_are_parsed(text: str, seconds: float | None) -> None:
    assert parse_seconds(text) == seconds
