"""Sessions on the suite's database beside Django's own: whoever has one could write after a test's tables are emptied."""

import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import psutil
from django.db.backends.base.base import BaseDatabaseWrapper

# The server ends the session of a killed process when the statement has ended that it was working on.
_WAIT_S = 20.0
_INTERVAL_S = 0.02
_SELECT = """
SELECT pid, client_port, state, query FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


@dataclass(frozen=True)
class Session:
    """A session by the process id of the server's process, with the TCP port of the client and its last statement."""

    pid: int
    client_port: int
    state: str
    query: str


def filter_unfinished(sessions: Iterable[Session], own_ports: Collection[int]) -> list[Session]:
    """Return the sessions of other processes, and those of this process that are not idle. Pure.

    The threads of `live_server` keep idle sessions between requests.
    """
    return [session for session in sessions if session.client_port not in own_ports or session.state != "idle"]


def end_other_sessions(database: BaseDatabaseWrapper, wait_s: float = _WAIT_S) -> list[Session]:
    """Wait until no other process has a session and no other thread uses one. After `wait_s` seconds, end those left and return them."""
    deadline = time.monotonic() + wait_s
    while (unfinished := _find_unfinished(database)) and time.monotonic() < deadline:
        time.sleep(_INTERVAL_S)
    with database.cursor() as cursor:
        for session in unfinished:
            cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [session.pid])
    return unfinished


def _find_unfinished(database: BaseDatabaseWrapper) -> list[Session]:
    with database.cursor() as cursor:
        cursor.execute(_SELECT)
        sessions = [Session(*row) for row in cursor.fetchall()]
    if not sessions:
        return []
    return filter_unfinished(sessions, {link.laddr.port for link in psutil.Process().net_connections("tcp")})
