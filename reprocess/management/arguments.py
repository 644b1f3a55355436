"""Parse arguments that the commands of reprocessing share. Each error message names the fix."""

from argparse import ArgumentTypeError
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime


def parse_cost(text: str) -> Decimal:
    """Return a cost of 0 or more. Raise ArgumentTypeError for anything else, such as NaN, infinity or more than six decimal places."""
    try:
        cost = Decimal(text)
    except InvalidOperation:
        cost = Decimal("NaN")
    # The limits of the column that stores it: 14 digits, six of them after the point.
    if not cost.is_finite() or not 0 <= cost < 10**8 or cost != round(cost, 6):
        raise ArgumentTypeError(
            f"{text!r} is not a cost. Give a number from 0 to 99999999 with at most six decimal places, for example 2.50"
        )
    return cost


def parse_time(text: str) -> datetime:
    """Return an ISO 8601 date or time, by default in the server's time zone. Raise ArgumentTypeError for anything else."""
    try:
        day = parse_date(text) if len(text) <= len("2026-01-31") else None
        time = datetime(day.year, day.month, day.day) if day else parse_datetime(text)
        if time is None:
            raise ValueError(text)
        time = time if timezone.is_aware(time) else timezone.make_aware(time)
        # PostgreSQL stores UTC; a time near year 1 or 9999 may not exist there.
        time.astimezone(UTC)
        return time
    except (ValueError, OverflowError) as error:
        raise ArgumentTypeError(f"{text!r} is not a date or time. Write it as 2026-01-31 or 2026-01-31T18:30") from error
