"""Retries: how long one call waits between attempts, and a circuit breaker that all callers of a server share."""

import random
import threading
from dataclasses import dataclass
from time import monotonic

from heimdex.errors import ModelAway


@dataclass(frozen=True)
class RetryPolicy:
    """The limits of one call: attempts, seconds for all attempts together, and seconds until one unanswered attempt fails."""

    attempts: int
    total_s: float
    timeout_s: float

    FIRST_WAIT_S = 0.5
    MAX_WAIT_S = 30.0

    def wait_s(self, failed: int, retry_after_s: float | None, spent_s: float) -> float | None:
        """Return the seconds to wait after the `failed`-th attempt, or None to give up.

        Honor the server's `retry_after_s`, and give up at once when it exceeds the remaining time. Otherwise wait a random time up to a
        limit that doubles (full jitter, Brooker 2015, "Exponential Backoff And Jitter"), so that callers do not return together.
        """
        if failed >= self.attempts:
            return None
        limit = min(self.MAX_WAIT_S, self.FIRST_WAIT_S * 2.0 ** (failed - 1))
        # Not used for cryptography.
        wait_s = random.uniform(0, limit) if retry_after_s is None else retry_after_s
        return wait_s if spent_s + wait_s <= self.total_s else None


class CircuitBreaker:
    """Opens after `max_failures` failures in a row; every call then fails at once with the last reason for `reset_after_s` seconds.

    Threads share it. It also pauses all callers when the server asks one of them to wait, which no retry library does across threads.
    """

    def __init__(self, max_failures: int, reset_after_s: float = 30.0) -> None:
        self._max_failures = max_failures
        self._reset_after_s = reset_after_s
        self._failures = 0
        self._reason = ""
        self._opened_at = 0.0
        self._resume_at = 0.0
        self._changed = threading.Condition()

    def check(self) -> None:
        """Raise ModelAway while the breaker is open. After the reset time one failure opens it again and one success closes it."""
        with self._changed:
            if self._failures < self._max_failures:
                return
            if monotonic() - self._opened_at < self._reset_after_s:
                raise ModelAway(f"{self._reason} ({self._failures} calls failed in a row.)")
            self._failures = self._max_failures - 1

    def record_failure(self, reason: str) -> None:
        """Count a failure."""
        with self._changed:
            self._failures += 1
            self._reason = reason
            if self._failures >= self._max_failures:
                self._opened_at = monotonic()
                self._changed.notify_all()

    def record_success(self) -> None:
        """Reset the count of failures."""
        with self._changed:
            self._failures = 0

    def pause_callers(self, seconds: float) -> None:
        """Pause all callers, because the server asked one of them to wait."""
        with self._changed:
            self._resume_at = max(self._resume_at, monotonic() + seconds)

    def wait(self, seconds: float) -> None:
        """Sleep for `seconds` and for any pause of all callers. Raise ModelAway as soon as the breaker opens."""
        until = monotonic() + seconds
        while True:
            self.check()
            with self._changed:
                remaining_s = max(until, self._resume_at) - monotonic()
                if remaining_s <= 0:
                    return
                self._changed.wait(remaining_s)
