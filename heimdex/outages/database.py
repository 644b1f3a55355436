"""Wait in a worker until the database is back, so that it can release its work without a lost attempt."""

from time import monotonic, sleep

from django.conf import settings
from django.db import connection

from heimdex.database.reachability import is_database_reachable

_EVERY_S = 0.5


def wait_for_database() -> bool:
    """Reconnect until the database answers, for at most the duration of a lease. Return whether it does.

    Later, the lease has expired, and another worker may have the work.
    """
    deadline = monotonic() + settings.LEASE_SECONDS
    while True:
        if is_database_reachable():
            return True
        if monotonic() >= deadline:
            return False
        connection.close()
        sleep(_EVERY_S)
