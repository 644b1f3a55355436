"""Parse arguments that the commands of several apps share. Each error message names the fix."""

from argparse import ArgumentTypeError

from django.core.management.base import CommandError

from heimdex.accounts.models import User
from heimdex.environment import MAX_DAYS

MAX_NUMBER = 1_000_000


def parse_positive_integer(text: str) -> int:
    """Return a whole number from 1 to a million. Raise ArgumentTypeError for anything else."""
    return _parse_integer(text, 1, MAX_NUMBER, f"Give a whole number from 1 to {MAX_NUMBER}")


def parse_days(text: str) -> int:
    """Return a whole number of days, at most a century. Raise ArgumentTypeError for anything else."""
    return _parse_integer(text, 0, MAX_DAYS, f"Give a whole number of days from 0 to {MAX_DAYS}, for example 7")


def find_owner(email: str) -> User:
    """Return the owner with this e-mail address. Raise CommandError with exit code 2 when there is none."""
    owner = User.objects.filter(email__iexact=email.strip()).first()
    if owner is None:
        raise CommandError(f"There is no owner {email}. Check the e-mail address.", returncode=2)
    return owner


def _parse_integer(text: str, least: int, most: int, fix: str) -> int:
    # int() rejects texts of thousands of digits.
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else -1
    if not least <= number <= most:
        raise ArgumentTypeError(f"{text!r} is not possible. {fix}")
    return number
