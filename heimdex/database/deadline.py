"""Time limits on the work of one request: what the database has not answered by then is canceled there."""

from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from time import monotonic

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

TOO_SLOW = "The database takes too long for this request at the moment. Try again later."


class DeadlineExceeded(Exception):
    """The time for some work is over."""


class Deadline:
    """The end of the time that some work may take."""

    def __init__(self, seconds: float) -> None:
        """Start the clock. An infinite time never ends."""
        self._ends_at = monotonic() + seconds

    @contextmanager
    def limit_statements(self) -> Iterator[None]:
        """Run the block in a transaction, and cancel a statement that is not done in time. Raise DeadlineExceeded."""
        if self._ends_at == inf:
            yield
            return
        left_ms = int((self._ends_at - monotonic()) * 1000)
        if left_ms < 1:
            raise DeadlineExceeded
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(left_ms)])
                yield
        except OperationalError as error:
            if is_timeout(error):
                raise DeadlineExceeded from error
            raise


NO_DEADLINE = Deadline(inf)


def is_timeout(error: Exception) -> bool:
    """Return whether the database canceled a statement because of its time limit."""
    return isinstance(error, OperationalError) and isinstance(error.__cause__, QueryCanceled)
