"""Keep the lease of a stage that says nothing for long, and end one that hangs: listening to hours of sound is one call."""

import faulthandler
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread, Timer
from time import monotonic
from uuid import UUID

import structlog
from django.conf import settings
from django.db import DatabaseError, connection

from heimdex.leases import LeaseLost, renew
from videos.models import Job

log = structlog.get_logger(__name__)

# How often within a lease's time it is renewed, so that one failure to reach the database costs nothing.
_PER_LEASE = 4
HUNG = 1
_LAST_WORDS_S = 10.0


@contextmanager
def kept_alive(token: UUID, limit_s: float, on_hung: Callable[[], None]) -> Iterator[None]:
    """Renew the lease on a job while the block runs; after `limit_s`, call `on_hung` and end this process.

    No more than that can be done about a call that does not return; the workers' keeper starts another process.
    """
    ended = Event()
    thread = Thread(target=_watch, args=(token, limit_s, on_hung, ended), name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _watch(token: UUID, limit_s: float, on_hung: Callable[[], None], ended: Event) -> None:
    deadline = monotonic() + limit_s
    lost = False
    while not ended.wait(max(0.0, min(settings.LEASE_SECONDS / _PER_LEASE, deadline - monotonic()))):
        try:
            if monotonic() >= deadline:
                _end_process(on_hung)
            if not lost:
                renew(Job, token)
        except LeaseLost:
            # The stage learns of it by its next report or write.
            lost = True
        except DatabaseError as error:
            log.warning("A lease could not be renewed; it is tried again", reason=str(error))
        finally:
            connection.close()


def _end_process(on_hung: Callable[[], None]) -> None:
    log.error("A stage hangs: this worker ends itself, and says where it stands")
    faulthandler.dump_traceback(sys.__stderr__ or sys.stderr)
    # The database may be what hangs.
    Timer(_LAST_WORDS_S, os._exit, (HUNG,)).start()
    try:
        on_hung()
    finally:
        os._exit(HUNG)
