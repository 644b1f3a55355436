"""Keep the lease of a stage that says nothing for long: listening to hours of sound, or reading all of a large file, is one call."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from uuid import UUID

import structlog
from django.conf import settings
from django.db import DatabaseError, connection

from heimdex.leases import LeaseLost, renew
from videos.models import Job

log = structlog.get_logger(__name__)

# How often within a lease's time it is renewed, so that one failure to reach the database costs nothing.
_PER_LEASE = 4


@contextmanager
def kept_alive(token: UUID) -> Iterator[None]:
    """Renew the lease on a job while the block runs. It ends with the process, at the latest by the queue's task timeout."""
    ended = Event()
    thread = Thread(target=_renew_until, args=(token, ended), name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _renew_until(token: UUID, ended: Event) -> None:
    while not ended.wait(settings.LEASE_SECONDS / _PER_LEASE):
        try:
            renew(Job, token)
        except LeaseLost:
            # The stage learns of it by its next report or write.
            return
        except DatabaseError as error:
            log.warning("A lease could not be renewed; it is tried again", reason=str(error))
        finally:
            connection.close()
