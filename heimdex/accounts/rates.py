"""Rates: how many requests are allowed in a period. Pure, and free of Django, because the environment is validated with them."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Self

_PERIODS = {"second": 1, "minute": 60, "hour": 3600, "day": 24 * 3600}
_RATE = re.compile(rf"([1-9]\d{{0,8}})/({'|'.join(_PERIODS)})")

# What is limited, as its users call it.
ACTIONS = {
    "search": "searches",
    "upload": "new uploads",
    "reprocess": "updates of a search index",
    "registration": "new accounts from your address",
    "confirmation": "e-mails to this address",
    "password_change": "attempts to change your password",
    "password_reset": "requests for a new password of this account",
    "password_reset_address": "requests for a new password from your address",
    "two_factor": "changes of your two-factor authentication",
    "login": "logins from your address",
    "failed_login_address": "failed logins from your address",
    "failed_login_account": "failed logins for this account",
}


@dataclass(frozen=True)
class Rate:
    """At most `count` requests in `period`."""

    count: int
    period: timedelta

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a rate such as `30/hour`. Raise ValueError otherwise."""
        match = _RATE.fullmatch(text)
        if match is None:
            raise ValueError(f"must look like 30/hour (or second, minute, day), not {text!r}")
        return cls(int(match[1]), timedelta(seconds=_PERIODS[match[2]]))

    @property
    def interval(self) -> timedelta:
        """The time between two requests that come evenly."""
        return self.period / self.count

    def compute_wait_s(self, due_at: datetime, now: datetime) -> int:
        """Return the whole seconds until the next request is allowed, 0 if it is allowed now."""
        return max(0, ceil((due_at + self.interval - self.period - now).total_seconds()))


def describe_wait(seconds: int) -> str:
    """Return a wait as people say it: seconds below two minutes, minutes above."""
    number, unit = (seconds, "second") if seconds < 120 else (ceil(seconds / 60), "minute")
    return f"{number} {unit}{'' if number == 1 else 's'}"
