"""The passwords of the embedded database rotate while Heimdex runs: the old ones are refused, and running processes go on."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connections
from pytest_django import DjangoDbBlocker, Settings

from heimdex.database import EmbeddedServerError
from heimdex.database.connection_info import ConnectionInfo, build_database_settings, read_embedded_connection, read_superuser_connection
from heimdex.database.server import EmbeddedServer
from heimdex.database.state_file import get_server_state_path, read_server_state, write_server_state
from heimdex.environment import Environment
from heimdex.redaction import redact_text
from tests.acceptance.test_secrets import PASSWORD, Site

pytestmark = pytest.mark.integration
ROOT = Path(__file__).resolve().parents[3]
ROTATED = "rotated"


@pytest.fixture
def server(
    tmp_path: Path, settings: Settings, django_db_blocker: DjangoDbBlocker, monkeypatch: pytest.MonkeyPatch
) -> Iterator[EmbeddedServer]:
    """Return a running server beside the suite's."""
    # Tests with a database set it for the whole process.
    monkeypatch.delenv("HEIMDEX_DATABASE_URL", raising=False)
    settings.HEIMDEX_HOME = tmp_path
    server = EmbeddedServer(tmp_path, durable=False)
    server.start()
    with django_db_blocker.unblock():
        yield server
    server.stop()


def read_connections(home: Path) -> list[ConnectionInfo]:
    connections = [read_embedded_connection(home), read_superuser_connection(home)]
    assert all(connections)
    return [connection for connection in connections if connection]


def is_accepted(connection: ConnectionInfo) -> bool:
    try:
        psycopg.connect(connection.url).close()
    except psycopg.OperationalError as error:
        if "password authentication failed" not in str(error):
            raise
        return False
    return True


@contextmanager
def connect(home: Path, *, as_superuser: bool = False) -> Iterator[dict[str, Any]]:
    """Let Django's connection `ROTATED` lead to the server of `home`, and yield its settings."""
    database = connections.settings["default"] | build_database_settings(Environment(home=home), as_superuser=as_superuser)
    connections.settings[ROTATED] = database
    yield database
    connections[ROTATED].close()
    del connections[ROTATED], connections.settings[ROTATED]


def select_user() -> str:
    with connections[ROTATED].cursor() as cursor:
        cursor.execute("SELECT current_user")
        return str(cursor.fetchone()[0])


def rotate(home: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HEIMDEX_")} | {"HEIMDEX_HOME": str(home)}
    command = [sys.executable, "manage.py", "rotate_database_password"]
    return subprocess.run(command, cwd=ROOT, env=environment | variables, capture_output=True, text=True)


@pytest.mark.parametrize("as_superuser", [False, True])
def test_running_processes_follow_a_rotation(server: EmbeddedServer, as_superuser: bool) -> None:
    with connect(server.home, as_superuser=as_superuser) as database:
        user = select_user()
        old = read_connections(server.home)

        assert "new passwords" in rotate(server.home).stdout

        new = read_connections(server.home)
        assert [is_accepted(connection) for connection in (*old, *new)] == [False, False, True, True]
        # The open connection, a new one, and one of another thread.
        assert select_user() == user
        connections[ROTATED].close()
        assert select_user() == user
        users: list[str] = []
        thread = threading.Thread(target=lambda: users.append(select_user()))
        thread.start()
        thread.join()
        assert users == [user]
        assert database["PASSWORD"] not in redact_text(f"the password is {database['PASSWORD']}")
    assert get_server_state_path(server.home).stat().st_mode & 0o777 == 0o600
    log = server.log.read_text()
    assert not [connection for connection in (*old, *new) if connection.password in log]
    # A restart accepts the new passwords.
    server.stop()
    server.start()
    assert read_connections(server.home) == new


def test_a_rotation_that_was_killed_is_completed_by_another_one_or_a_restart(server: EmbeddedServer) -> None:
    state = read_server_state(server.home)
    assert state
    # Killed after the file, and before the server had the password of the application.
    write_server_state(server.home, replace(state, application_password="written-and-not-set"))
    server.rotate_passwords()
    assert [is_accepted(connection) for connection in read_connections(server.home)] == [True, True]
    # As above, for the superuser.
    state = read_server_state(server.home)
    assert state
    write_server_state(server.home, replace(state, password="written-and-not-set"))
    with pytest.raises(EmbeddedServerError, match="make down && make up"):
        server.rotate_passwords()
    server.stop()
    server.start()
    assert [is_accepted(connection) for connection in read_connections(server.home)] == [True, True]


def test_a_refused_password_that_has_not_changed_is_an_error(server: EmbeddedServer) -> None:
    state = read_server_state(server.home)
    assert state
    write_server_state(server.home, replace(state, application_password="not-the-password"))
    with connect(server.home), pytest.raises(OperationalError, match="password authentication failed"):
        select_user()


def test_the_command_names_what_to_do_instead(tmp_path: Path) -> None:
    ended = rotate(tmp_path)
    assert ended.returncode == 1
    assert "Start Heimdex with `make up`" in ended.stderr
    ended = rotate(tmp_path, HEIMDEX_DATABASE_URL="postgres://heimdex_app:pr1vate@127.0.0.1:1/heimdex")
    assert ended.returncode == 2
    assert "docs/how-to/rotate-secrets.md" in ended.stderr
    assert "pr1vate" not in ended.stderr


def test_a_site_continues(tmp_path: Path) -> None:
    site = Site(tmp_path, "console")
    site.manage("up")
    try:
        site.request("POST", "/v1/auth/register", {"email": "ann@example.com", "password": PASSWORD})
        old = read_connections(tmp_path)
        site.manage("rotate_database_password")
        assert [is_accepted(connection) for connection in old] == [False, False]
        with psycopg.connect(read_connections(tmp_path)[1].url, autocommit=True) as superuser:
            # All processes have to connect again.
            superuser.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'heimdex_app'")
        assert '"database": "ok"' in site.request("GET", "/healthz")
        site.log_in_by_page(PASSWORD)
        assert "ann@example.com" in site.request("GET", "/v1/auth/me")
        assert '"running": true' in site.manage("status", "--json")
    finally:
        site.manage("down")
