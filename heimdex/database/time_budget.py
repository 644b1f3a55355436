"""Time limits on the statements of one request: what takes longer is canceled in the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from time import monotonic

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

TOO_SLOW = "The database takes too long for this request at the moment. Try again later."


class TimeBudgetExceeded(Exception):
    """The time for some statements is over."""


class TimeBudget:
    """The time that the statements of some work may take. What the work does between them, such as to load a model, does not count."""

    def __init__(self, seconds: float) -> None:
        """Allow this many seconds. An infinite time limits nothing."""
        self._left_s = seconds

    @contextmanager
    def limit_statements(self) -> Iterator[None]:
        """Run the block in a transaction, and cancel a statement that outlasts the budget. Raise TimeBudgetExceeded."""
        if self._left_s == inf:
            yield
            return
        left_ms = int(self._left_s * 1000)
        if left_ms < 1:
            raise TimeBudgetExceeded
        started = monotonic()
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(left_ms)])
                yield
        except OperationalError as error:
            if is_timeout(error):
                raise TimeBudgetExceeded from error
            raise
        finally:
            self._left_s -= monotonic() - started


UNLIMITED = TimeBudget(inf)


def is_timeout(error: Exception) -> bool:
    """Return whether the database canceled a statement because of its time limit."""
    return isinstance(error, OperationalError) and isinstance(error.__cause__, QueryCanceled)
