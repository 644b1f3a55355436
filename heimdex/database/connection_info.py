"""How to connect to the database, Django's settings for it, and why a connection failed."""

import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError

from heimdex.database.roles import APPLICATION_ROLE
from heimdex.database.state_file import read_server_state
from heimdex.environment import Environment

APPLICATION_NAME = "heimdex"
# SQLSTATE classes: connection exceptions, rejected logins, no such database, servers that start or stop.
_UNREACHABLE = ("08", "28", "3D", "57P")
# Otherwise a process waits for minutes for a server that does not respond or whose machine is gone. A URL may have other values.
_NETWORK_LIMITS = {
    "connect_timeout": "5",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
_SCHEMA_COMMANDS = frozenset({"migrate", "flush"})
_NO_TABLE_OR_COLUMN = ("42P01", "42703")


@dataclass(frozen=True)
class ConnectionInfo:
    """A PostgreSQL database and the credentials for it."""

    host: str
    port: int
    user: str
    password: str
    database: str
    options: tuple[tuple[str, str], ...] = ()

    @property
    def url(self) -> str:
        """The `postgres://…` URL with every part percent-encoded, in the form of HEIMDEX_DATABASE_URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        query = "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in self.options)
        login = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}"
        return f"postgres://{login}@{host}:{self.port}/{quote(self.database, safe='')}" + (f"?{query}" if query else "")

    @classmethod
    def parse(cls, url: str) -> Self:
        """Parse a `postgres://user:password@host:port/name` URL. Raise ImproperlyConfigured when it is invalid."""
        problem = "HEIMDEX_DATABASE_URL must look like postgres://user:password@host:5432/name (special characters percent-encoded); "
        try:
            parts = urlsplit(url)
            port = parts.port or 5432
        except ValueError:
            # The original message could quote a part of the password.
            raise ImproperlyConfigured(f"{problem}its port is not a number.") from None
        database = unquote(parts.path.lstrip("/"))
        if parts.scheme not in ("postgres", "postgresql"):
            raise ImproperlyConfigured(f"{problem}it starts with {parts.scheme or 'no scheme'!r}.")
        if not parts.hostname or not database:
            raise ImproperlyConfigured(f"{problem}the {'database name' if parts.hostname else 'host'} is missing.")
        return cls(
            host=unquote(parts.hostname),
            port=port,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            database=database,
            options=tuple(parse_qsl(parts.query)),
        )


def read_superuser_connection(home: Path) -> ConnectionInfo | None:
    """Return how to connect as superuser to the embedded server of `home` as last started, or None if it never was."""
    state = read_server_state(home)
    return ConnectionInfo("127.0.0.1", state.port, state.user, state.password, state.database) if state else None


def read_embedded_connection(home: Path) -> ConnectionInfo | None:
    """Return how the application connects to the embedded server of `home` as last started, or None if it never was."""
    state, superuser = read_server_state(home), read_superuser_connection(home)
    if state and superuser and state.application_password:
        return replace(superuser, user=APPLICATION_ROLE, password=state.application_password)
    return superuser


def read_password(home: Path, user: str) -> str:
    """Return the password that a role of the embedded server of `home` has now, or an empty string."""
    for connection in (read_embedded_connection(home), read_superuser_connection(home)):
        if connection and connection.user == user:
            return connection.password
    return ""


def changes_schema(arguments: Sequence[str]) -> bool:
    """Return whether a process with these arguments changes tables, for which the application's role has no right. Pure."""
    return len(arguments) > 1 and arguments[1] in _SCHEMA_COMMANDS


def build_database_settings(environment: Environment, *, as_superuser: bool = False) -> dict[str, Any]:
    """Return Django's DATABASES["default"] without starting a server; without one, the first connection fails.

    `as_superuser` matters for the embedded server only. A URL names its role itself.
    """
    if environment.database_url:
        try:
            connection = ConnectionInfo.parse(environment.database_url)
        except ImproperlyConfigured as error:
            sys.exit(f"Heimdex cannot start. {error}")
    else:
        # A connection error shows this name when the server was never started.
        never_started = ConnectionInfo("127.0.0.1", 1, "heimdex", "", "not started, run `python manage.py up`")
        read = read_superuser_connection if as_superuser else read_embedded_connection
        connection = read(environment.home) or never_started
    return {
        "ENGINE": "heimdex.database.backend",
        "HOST": connection.host,
        "PORT": connection.port,
        "USER": connection.user,
        "PASSWORD": connection.password,
        "NAME": connection.database,
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"application_name": APPLICATION_NAME, **_NETWORK_LIMITS, **dict(connection.options)},
    }


def describe_database_error(error: DatabaseError, database: dict[str, Any], *, is_embedded: bool) -> str:
    """Return the cause and the fix when `database` (as in DATABASES) cannot be reached or lacks our tables, else an empty string.

    `is_embedded` is whether Heimdex starts the server itself, so that there is no URL to correct.
    """
    cause = error.__cause__
    state = getattr(cause, "sqlstate", None)
    reason = " ".join(str(cause or error).split())
    if state in _NO_TABLE_OR_COLUMN:
        return f"The database is older than this code ({reason}). Run `python manage.py migrate`. Add --traceback to see where it failed."
    if state is not None and not state.startswith(_UNREACHABLE):
        return ""
    if is_embedded and not _is_listening(database["HOST"], database["PORT"]):
        return "Heimdex is not running. Start it with: make up"
    return (
        f"The database at {database['HOST']}:{database['PORT']} cannot be reached ({reason}). Start it"
        f"{' with: make up.' if is_embedded else ', or correct HEIMDEX_DATABASE_URL.'} Add --traceback to see where it failed."
    )


def _is_listening(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError:
        return False
    return True
