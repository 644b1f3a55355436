"""Renew the lease of a running stage, even during a call that takes long, and end a stage that hangs."""

import faulthandler
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread, Timer
from time import monotonic

import structlog
from django.conf import settings
from django.db import DatabaseError, connection

from heimdex.leases import Lease, LeaseLost

log = structlog.get_logger(__name__)

# How often a lease is renewed within its duration, so that a single failure to reach the database has no consequence.
_RENEWALS_PER_LEASE = 4
_EXIT_CODE = 1
# The time for recording that the stage hung.
_RECORDING_TIMEOUT_S = 10.0
# The lowest assumed speed of a storage or disk, in bytes per second.
_MIN_BYTES_PER_S = 1_000_000


def compute_time_limit(base_s: float, per_second: float, duration_s: float, size_bytes: int) -> float:
    """Return how many seconds a stage may take for a video of this duration (0 while it is unknown) and size. Pure."""
    return base_s + per_second * duration_s + size_bytes / _MIN_BYTES_PER_S


@contextmanager
def keep_lease(lease: Lease, limit_s: float, on_hung: Callable[[], None]) -> Iterator[None]:
    """Renew a lease while the block runs. After `limit_s` seconds, call `on_hung` and end this process.

    Nothing else can end a call that does not return. The cluster starts another worker process.
    """
    ended = Event()
    thread = Thread(target=_watch, args=(lease, limit_s, on_hung, ended), name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _watch(lease: Lease, limit_s: float, on_hung: Callable[[], None], ended: Event) -> None:
    deadline = monotonic() + limit_s
    lost = False
    while not ended.wait(max(0.0, min(settings.LEASE_SECONDS / _RENEWALS_PER_LEASE, deadline - monotonic()))):
        try:
            if monotonic() >= deadline:
                _end_process(on_hung)
            if not lost:
                lease.renew()
        except LeaseLost:
            # The stage notices it when it next reports progress or writes.
            lost = True
        except DatabaseError as error:
            log.warning("Could not renew a lease; trying again", reason=str(error))
        finally:
            connection.close()


def _end_process(on_hung: Callable[[], None]) -> None:
    log.error("A stage hangs; this worker exits")
    faulthandler.dump_traceback(sys.__stderr__ or sys.stderr)
    # The database itself may hang.
    Timer(_RECORDING_TIMEOUT_S, os._exit, (_EXIT_CODE,)).start()
    try:
        on_hung()
    finally:
        os._exit(_EXIT_CODE)
