"""How long to bear with a server: waits between tries, and a breaker that ends many callers' tries at once."""

import random
import threading
from dataclasses import dataclass
from time import monotonic

from heimdex.embedders.errors import EmbedderUnavailable


@dataclass(frozen=True)
class Patience:
    """How often one call is tried, how long all of its tries may take together, and how long one may stay unanswered (seconds)."""

    tries: int
    total_s: float
    timeout_s: float

    FIRST_WAIT_S = 0.5
    LONGEST_WAIT_S = 30.0

    def wait_s(self, failed: int, asked_s: float | None, spent_s: float) -> float | None:
        """Return how long to wait after the `failed`-th try, or None to give up.

        What the server asks for is honoured, and given up on at once when it is more than is left. Otherwise the wait is random up to
        a limit that doubles (full jitter, Brooker 2015, "Exponential Backoff And Jitter"), so that many callers do not come back together.
        """
        if failed >= self.tries:
            return None
        limit = min(self.LONGEST_WAIT_S, self.FIRST_WAIT_S * 2.0 ** (failed - 1))
        # Not for cryptography.
        wait_s = random.uniform(0, limit) if asked_s is None else asked_s
        return wait_s if spent_s + wait_s <= self.total_s else None


class Breaker:
    """Opens after `limit` failures in a row: until `cool_s` later every call fails at once with the last reason; threads share it."""

    def __init__(self, limit: int, cool_s: float = 30.0) -> None:
        self._limit = limit
        self._cool_s = cool_s
        self._failures = 0
        self._reason = ""
        self._opened_at = 0.0
        self._resume_at = 0.0
        self._changed = threading.Condition()

    def check(self) -> None:
        """Raise EmbedderUnavailable while it is open. After the cooling one failure opens it again, one success closes it."""
        with self._changed:
            if self._failures < self._limit:
                return
            if monotonic() - self._opened_at < self._cool_s:
                raise EmbedderUnavailable(f"{self._reason} ({self._failures} calls failed in a row.)")
            self._failures = self._limit - 1

    def failed(self, reason: str) -> None:
        """Count a failure."""
        with self._changed:
            self._failures += 1
            self._reason = reason
            if self._failures >= self._limit:
                self._opened_at = monotonic()
                self._changed.notify_all()

    def succeeded(self) -> None:
        """Forget the failures."""
        with self._changed:
            self._failures = 0

    def hold(self, seconds: float) -> None:
        """Keep every caller from calling for so long, because the server asked one of them to wait."""
        with self._changed:
            self._resume_at = max(self._resume_at, monotonic() + seconds)

    def rest(self, seconds: float) -> None:
        """Sleep, and for as long as callers are held; EmbedderUnavailable as soon as the breaker opens."""
        until = monotonic() + seconds
        while True:
            self.check()
            with self._changed:
                left = max(until, self._resume_at) - monotonic()
                if left <= 0:
                    return
                self._changed.wait(left)
