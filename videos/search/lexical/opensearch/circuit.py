"""Spare searches the wait for a server that is away: after a failure, one of them at a time tries again, ever more rarely."""

import threading
from time import monotonic

from heimdex.outages.delays import compute_probe_delay_s


class Circuit:
    """Opens with a failure and closes with a success. Threads share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = 0
        self._tries_at = 0.0

    def admit(self) -> bool:
        """Return whether a caller may try. While the circuit is open, that is one caller whenever the next try is due."""
        with self._lock:
            if self._failures and monotonic() < self._tries_at:
                return False
            if self._failures:
                self._tries_at = monotonic() + compute_probe_delay_s(self._failures)
            return True

    def record_failure(self) -> bool:
        """Open the circuit. Return whether it was closed before."""
        with self._lock:
            was_closed = not self._failures
            self._tries_at = monotonic() + compute_probe_delay_s(self._failures)
            self._failures += 1
            return was_closed

    def record_success(self) -> bool:
        """Close the circuit. Return whether it was open before."""
        with self._lock:
            was_open, self._failures = bool(self._failures), 0
            return was_open
