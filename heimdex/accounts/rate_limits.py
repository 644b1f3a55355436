"""Limit how often an owner or an address may do something. All processes share the counts, which are rows of the database.

The generic cell rate algorithm (ITU-T I.371, appendix I) keeps one time per key: when the requests so far would have arrived if they had
come evenly. A burst may run ahead of the clock by the whole period, so that all requests of a period may come at once.
"""

from hashlib import blake2b

from django.conf import settings
from django.db import connection
from django.utils import timezone

from heimdex.accounts.models import RateLimit
from heimdex.accounts.rates import ACTIONS, Rate, describe_wait

_SPEND = """
INSERT INTO accounts_ratelimit AS spent (key, due_at) VALUES (%(key)s, clock_timestamp() + make_interval(secs => %(interval)s))
ON CONFLICT (key) DO UPDATE SET due_at = GREATEST(spent.due_at, clock_timestamp()) + make_interval(secs => %(interval)s)
WHERE spent.due_at + make_interval(secs => %(interval)s) <= clock_timestamp() + make_interval(secs => %(period)s)"""


class RateExceeded(Exception):
    """A rate is exceeded. The next request is allowed in `wait_s` seconds."""

    def __init__(self, action: str, wait_s: int) -> None:
        super().__init__(f"Too many {ACTIONS[action]}. Try again in {describe_wait(wait_s)}.")
        self.wait_s = wait_s


def spend(action: str, subject: object) -> None:
    """Count a request of an owner or address. Raise RateExceeded, and count nothing, when its rate is exceeded."""
    rate = get_rate(action)
    interval_s, period_s = rate.interval.total_seconds(), rate.period.total_seconds()
    with connection.cursor() as cursor:
        cursor.execute(_SPEND, {"key": _build_key(action, subject), "interval": interval_s, "period": period_s})
        is_allowed = cursor.rowcount == 1
    if not is_allowed:
        raise RateExceeded(action, max(1, measure_wait_s(action, subject)))


def measure_wait_s(action: str, subject: object) -> int:
    """Return the seconds until the next request is allowed, 0 if it is allowed now. Count nothing."""
    due_at = RateLimit.objects.filter(key=_build_key(action, subject)).values_list("due_at", flat=True).first()
    return get_rate(action).compute_wait_s(due_at, timezone.now()) if due_at else 0


def delete_unused() -> int:
    """Delete the rows that no longer limit anything. Return the number."""
    return RateLimit.objects.filter(due_at__lt=timezone.now()).delete()[0]


def get_rate(action: str) -> Rate:
    """Return the configured rate of an action."""
    return Rate.parse(settings.RATE_LIMITS[action])


def _build_key(action: str, subject: object) -> str:
    """Return a key that tells neither an address nor an account, and fits whatever a client calls itself."""
    return f"{action}:{blake2b(str(subject).encode(errors='replace'), digest_size=16).hexdigest()}"
