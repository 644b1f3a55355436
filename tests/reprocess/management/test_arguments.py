"""Invalid arguments end a command with exit code 2 and a sentence that names the fix."""

import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command, execute_from_command_line
from django.utils import timezone

from heimdex.management.arguments import parse_days, parse_positive_integer
from reprocess.management.arguments import parse_cost, parse_time
from tests.library import make_user


@pytest.mark.parametrize(
    ("args", "fix"),
    [
        (["--max-cost", "abc"], "Give a number from 0"),
        (["--max-cost", "NaN"], "Give a number from 0"),
        (["--max-cost", "Infinity"], "Give a number from 0"),
        (["--max-cost=-1"], "Give a number from 0"),
        (["--max-cost", "100000000"], "Give a number from 0"),
        (["--max-cost", "0.0000001"], "Give a number from 0"),
        (["--since", "gestern"], "Write it as 2026-01-31"),
        (["--since", "2026-02-30"], "Write it as 2026-01-31"),
        (["--since", "2026-01-01T25:00"], "Write it as 2026-01-31"),
        (["--since", "0001-01-01T00:00+23:59"], "Write it as 2026-01-31"),
    ],
)
def test_invalid_arguments_exit_with_2_and_name_the_fix(args: list[str], fix: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as error:
        execute_from_command_line(["manage.py", "reprocess_embeddings", "--scope", "all", *args])
    assert error.value.code == 2
    message = capsys.readouterr().err.splitlines()[-1]
    assert fix in message
    assert "_" not in message.partition("error:")[2], "the message names a function"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["ingest", "film.mp4", "--owner", "nobody@example.org"], "There is no owner nobody@example.org"),
        (["search", "boat", "--owner", "nobody@example.org"], "There is no owner nobody@example.org"),
        (["search", " ", "--owner", "owner@example.org"], "Nothing is asked"),
        (["reprocess_runs", "show", "00000000-0000-4000-8000-000000000000"], "There is no run 00000000"),
    ],
)
def test_what_does_not_exist_is_wrong_usage(args: list[str], message: str) -> None:
    make_user("owner@example.org")
    with pytest.raises(CommandError, match=message) as error:
        call_command(*args)
    assert error.value.returncode == 2


def test_costs_are_limited_by_the_column_that_stores_them() -> None:
    assert [parse_cost(text) for text in ("0", "2.50", "99999999.999999")] == [Decimal(0), Decimal("2.50"), Decimal("99999999.999999")]


def test_times_without_a_zone_are_in_the_server_time_zone() -> None:
    assert parse_time("2026-01-31T18:30+00:00") == datetime(2026, 1, 31, 18, 30, tzinfo=UTC)
    assert parse_time("2026-01-31") == timezone.make_aware(datetime(2026, 1, 31))
    assert parse_time("2026-01-31T18:30") == timezone.make_aware(datetime(2026, 1, 31, 18, 30))


@pytest.mark.parametrize(
    "args",
    [
        *(["reprocess_runs", "list", f"--limit={limit}"] for limit in ("-3", "0", "1000001", "9" * 20, "9" * 5000, "³", "١")),
        *(["spec", f"--owners={number}"] for number in ("-1", "0", "9" * 20)),
        *(["search", "boat", "--owner", "owner@example.org", f"--limit={limit}"] for limit in ("-1", "9" * 20)),
        *(["purge_spaces", f"--days={days}"] for days in ("-1", "1.5", "a week", "36501", "99999999999")),
    ],
    ids=lambda args: " ".join(args)[:60],
)
def test_an_impossible_number_exits_with_2_and_names_the_limits(args: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as error:
        execute_from_command_line(["manage.py", *args])
    assert error.value.code == 2
    assert re.search(r"Give a whole number (of days )?from [01] to \d+", capsys.readouterr().err.splitlines()[-1])


def test_the_limits_of_numbers_are_included() -> None:
    assert [parse_positive_integer(text) for text in ("1", "1000000")] == [1, 1_000_000]
    assert [parse_days(text) for text in ("0", "7", "36500")] == [0, 7, 36_500]
