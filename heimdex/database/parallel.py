"""Run parts of a request beside each other, each in a thread with a connection of its own."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import cache
from typing import Generic, TypeVar

from django.db import close_old_connections, connection

Result = TypeVar("Result")

# Threads of a process, each of which keeps a connection.
MAX_THREADS = 4


class RequestPart(Generic[Result]):
    """A part of a request that runs beside the others, or, where no thread is free, when its result is needed.

    Within a transaction, whose changes no other connection sees, parts run one after the other.
    """

    def __init__(self, work: Callable[[], Result]) -> None:
        """Start the work, which may use the database, but not the caller's transaction."""
        self._work = work
        self._future: Future[Result] | None = None
        if not connection.in_atomic_block:
            self._future = _get_threads().submit(copy_context().run, _run, work)

    def finish(self, timeout_s: float | None) -> Result:
        """Return the result, or raise the error of the work. Raise TimeoutError if it takes longer, and let it end alone."""
        if self._future is None or self._future.cancel():
            return self._work()
        return self._future.result(timeout_s)

    def cancel(self) -> None:
        """Do not run the work if it has not begun. What has begun ends alone."""
        if self._future is not None:
            self._future.cancel()


def _run(work: Callable[[], Result]) -> Result:
    close_old_connections()
    try:
        return work()
    finally:
        close_old_connections()


@cache
def _get_threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="part")
