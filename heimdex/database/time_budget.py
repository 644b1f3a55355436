"""Time limits on the statements of one request: what takes longer is canceled in the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from time import monotonic

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

TOO_SLOW = "The database takes too long for this request at the moment. Try again later."
# Parts beside each other may take this much of a budget. The rest is left to what is made of those that are in time.
PARTS_SHARE = 0.8
# What a part that is late may take to end after its statement was canceled.
_GRACE_S = 0.5


class TimeBudgetExceeded(Exception):
    """The time for some statements is over."""


class Deadline:
    """The end of the time for parts of a request that run beside each other."""

    def __init__(self, seconds: float) -> None:
        """Allow this many seconds from now on. An infinite time limits nothing."""
        self._ends_at = monotonic() + seconds

    @contextmanager
    def limit_statements(self) -> Iterator[None]:
        """Run the block as `TimeBudget.limit_statements` does."""
        with _limit_statements(self._ends_at - monotonic()):
            yield

    @property
    def patience_s(self) -> float | None:
        """How long to wait for a part: None without a limit."""
        return None if self._ends_at == inf else max(self._ends_at - monotonic(), 0.0) + _GRACE_S


class TimeBudget:
    """The time that the statements of some work may take. What the work does between them, such as to load a model, does not count."""

    def __init__(self, seconds: float) -> None:
        """Allow this many seconds. An infinite time limits nothing."""
        self._left_s = seconds

    @contextmanager
    def limit_statements(self) -> Iterator[None]:
        """Run the block in a transaction, and cancel any statement that outlasts the budget. Raise TimeBudgetExceeded."""
        started = monotonic()
        try:
            with _limit_statements(self._left_s):
                yield
        finally:
            self._left_s -= monotonic() - started

    @contextmanager
    def share(self) -> Iterator[Deadline]:
        """Give PARTS_SHARE of the budget to each of the parts that run within the block. They use it up together, whatever they do."""
        started, left_s = monotonic(), self._left_s
        try:
            yield Deadline(PARTS_SHARE * left_s)
        finally:
            self._left_s = left_s - (monotonic() - started)


UNLIMITED = TimeBudget(inf)


def is_timeout(error: Exception) -> bool:
    """Return whether the database canceled a statement because of its time limit."""
    return isinstance(error, OperationalError) and isinstance(error.__cause__, QueryCanceled)


@contextmanager
def _limit_statements(seconds: float) -> Iterator[None]:
    if seconds == inf:
        yield
        return
    left_ms = int(seconds * 1000)
    if left_ms < 1:
        raise TimeBudgetExceeded
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                # Many searches run at a time, so that none of them takes several processes.
                cursor.execute(
                    "SELECT set_config('statement_timeout', %s, true), set_config('max_parallel_workers_per_gather', '0', true)",
                    [str(left_ms)],
                )
            yield
    except OperationalError as error:
        if is_timeout(error):
            raise TimeBudgetExceeded from error
        raise
