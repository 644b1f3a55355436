"""Ask whether the database answers, without waiting for a server that hangs."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Timer

from django.db import Error, connection

# As long as a new connection may take.
_ANSWER_TIMEOUT_S = 5.0


def is_database_reachable() -> bool:
    """Return whether the database answers, over a new connection if the old one is broken."""
    try:
        connection.ensure_connection()
        with _limit_wait():
            is_usable = connection.is_usable()
        if not is_usable:
            # A persistent connection whose server was restarted or hangs: a new one may work.
            connection.close()
            connection.ensure_connection()
    except Error:
        return False
    return True


@contextmanager
def _limit_wait() -> Iterator[None]:
    """Break the connection if the server takes too long to answer: no time-out of TCP notices a process that is frozen."""
    if connection.connection.closed:
        yield
        return
    # A socket of its own, because the number of a closed one may be given to another file.
    with socket.socket(fileno=os.dup(connection.connection.fileno())) as copy:

        def break_connection() -> None:
            with suppress(OSError):
                copy.shutdown(socket.SHUT_RDWR)

        timer = Timer(_ANSWER_TIMEOUT_S, break_connection)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
