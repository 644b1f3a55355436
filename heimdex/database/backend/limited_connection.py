"""A connection that stops waiting for a server that does not answer.

No time-out of TCP notices a server that is frozen, because its kernel goes on acknowledging. No time limit of statements does, because the
server itself would have to keep it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.errors import _WaitTimeout

SILENT = "The server has not answered for {seconds:g} s."


class LimitedConnection(psycopg.Connection[Any]):
    """With `answer_timeout_s`, each wait for the server ends after that time: OperationalError is raised, and the connection closed."""

    answer_timeout_s: float | None = None

    @contextmanager
    def limit_answers(self, seconds: float) -> Iterator[None]:
        """Limit the waits of the block to another time."""
        before, self.answer_timeout_s = self.answer_timeout_s, seconds
        try:
            yield
        finally:
            self.answer_timeout_s = before

    def wait(self, gen: Any, *args: Any, **options: Any) -> Any:
        """Wait for the server, as every use of a connection does."""
        if self.answer_timeout_s is None:
            return super().wait(gen, *args, **options)
        try:
            return super().wait(gen, *args, **{"timeout": self.answer_timeout_s, **options})
        except _WaitTimeout as error:
            # The answer may still come, and would be taken for that of the next statement.
            self.close()
            raise psycopg.OperationalError(SILENT.format(seconds=self.answer_timeout_s)) from error
