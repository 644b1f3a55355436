"""Parse the values of filters in queries: days, durations and languages. Pure."""

import re
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from heimdex.speech.languages import NAMES

# Videos are not older, and dates near the ends of the calendar cannot be converted between time zones.
FIRST_YEAR, LAST_YEAR = 1900, 2999

DAY_FIX = "Write a day such as 2026-01-31, a month such as 2026-01, or a year"
DURATION_FIX = "Write a duration such as 90 (seconds), 1:30, 10m or 1h30m"
LANGUAGE_FIX = "Write a code such as de, or a name such as german"

_DAY = re.compile(r"([0-9]{4})(?:-([0-9]{1,2})(?:-([0-9]{1,2}))?)?")
_SECONDS = re.compile(r"([0-9]{1,7}(?:\.[0-9]{1,3})?)s?")
_CLOCK = re.compile(r"(?:([0-9]{1,4}):)?([0-9]{1,4}):([0-9]{2})")
_UNITS = re.compile(r"(?:([0-9]{1,4})h)?(?:([0-9]{1,5})m(?:in)?)?(?:([0-9]{1,6})s)?")
_CODE = re.compile(r"([a-z]{2,3})(?:[-_][a-z0-9]{2,8}){0,2}")
_CODES_BY_NAME = {name: code for code, name in NAMES.items()}


def parse_day(value: str) -> date:
    """Return a day, or the first day of a month or a year. Raise ValueError for anything else."""
    match = _DAY.fullmatch(value)
    if match is None or not FIRST_YEAR <= int(match[1]) <= LAST_YEAR:
        raise ValueError(f"{value!r} is no day. {DAY_FIX} from {FIRST_YEAR} to {LAST_YEAR}.")
    try:
        return date(int(match[1]), int(match[2] or 1), int(match[3] or 1))
    except ValueError as error:
        raise ValueError(f"{value!r} is not in the calendar. {DAY_FIX}.") from error


def get_midnight(day: date, time_zone: str) -> datetime:
    """Return the moment when a day starts in a time zone."""
    return datetime.combine(day, time.min, tzinfo=ZoneInfo(time_zone))


def parse_duration(value: str) -> float:
    """Return a duration in seconds. Raise ValueError for anything else."""
    lowered = value.lower()
    if match := _SECONDS.fullmatch(lowered):
        return float(match[1])
    match = _CLOCK.fullmatch(lowered) or (_UNITS.fullmatch(lowered) if lowered else None)
    if match is None:
        raise ValueError(f"{value!r} is no duration. {DURATION_FIX}.")
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return float(3600 * hours + 60 * minutes + seconds)


def parse_language(value: str) -> str:
    """Return the code of a language, without a region. Raise ValueError for anything that is not a code or a known English name."""
    lowered = value.lower()
    if code := _CODES_BY_NAME.get(lowered):
        return code
    if match := _CODE.fullmatch(lowered):
        return match[1]
    raise ValueError(f"{value!r} is no language. {LANGUAGE_FIX}.")
