import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from heimdex.database import EmbeddedServerError
from heimdex.database.connection_info import ConnectionInfo
from heimdex.database.server import EmbeddedServer
from heimdex.database.state_file import get_server_state_path

pytestmark = pytest.mark.integration

CHECKOUT = Path(__file__).resolve().parents[3]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    server = EmbeddedServer(tmp_path / "a checkout" / "häuser.home", durable=False)
    yield server
    server.stop()


def query(connection: ConnectionInfo, sql: str) -> list[tuple[object, ...]]:
    with psycopg.connect(connection.url, autocommit=True) as session:
        cursor = session.execute(sql)
        return cursor.fetchall() if cursor.description else []


def list_commands(server: EmbeddedServer) -> list[list[str]]:
    """Return the command line of each server process; those that serve a connection come and go."""
    commands = []
    for process in psutil.process_iter():
        try:
            if process.name() == "postgres" and process.cwd() == str(server.data):
                commands.append(process.cmdline())
        except psutil.Error:
            continue
    return commands


def test_a_new_server_keeps_its_data_and_url_and_leaves_no_process(server):
    connection = server.start()
    query(connection, "CREATE EXTENSION vector")
    query(connection, "CREATE TABLE kept (vector halfvec(2))")
    query(connection, "INSERT INTO kept VALUES ('[1, 2]')")
    assert server.is_running()
    assert get_server_state_path(server.home).stat().st_mode & 0o777 == 0o600
    assert server.data.stat().st_mode & 0o777 == 0o700
    server.stop()
    assert not server.is_running()
    assert list_commands(server) == []
    with pytest.raises(psycopg.OperationalError):
        query(connection, "SELECT 1")

    assert server.start() == connection
    assert query(connection, "SELECT vector::text FROM kept") == [("[1,2]",)]


def test_its_log_contains_no_values_and_is_closed_to_other_users(server):
    connection = server.start()
    query(connection, "CREATE TABLE account (email text PRIMARY KEY, password text)")
    insert = "INSERT INTO account VALUES ('canary@example.org', 'argon2-canary')"
    query(connection, insert)
    with pytest.raises(psycopg.errors.UniqueViolation):
        query(connection, insert)
    with psycopg.connect(connection.url, autocommit=True) as session:
        with pytest.raises(psycopg.errors.UniqueViolation):
            session.execute("INSERT INTO account VALUES (%s, %s)", ["canary@example.org", "argon2-canary"])
        session.execute("SET statement_timeout = '50ms'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            session.execute("SELECT pg_sleep(60) AS canary")
    server.stop()
    log = server.log.read_text()
    assert log.count("duplicate key value") == 2
    assert "canary" not in log
    assert server.log.stat().st_mode & 0o777 == 0o640
    assert server.log.parent.stat().st_mode & 0o777 == 0o750


def test_words_of_every_language_are_split_and_folded(server):
    connection = server.start()
    assert query(connection, "SELECT lower('ÄPFEL ŠKODA'), to_tsvector('simple', '“Hello” world—naïve ÄPFEL')::text") == [
        ("äpfel škoda", "'hello':1 'naïve':3 'world':2 'äpfel':4")
    ]


def test_a_login_without_the_password_is_rejected(server):
    connection = server.start()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(host=connection.host, port=connection.port, user=connection.user, password="guess", dbname=connection.database)


def test_starting_twice_gives_the_same_server(server):
    connection, pid = server.start(), server.find_pid()
    assert EmbeddedServer(server.home, durable=False).start() == connection
    assert server.find_pid() == pid


def test_concurrent_starts_yield_one_server(server):
    code = "import pathlib, sys, heimdex.database.server as s; print(s.EmbeddedServer(pathlib.Path(sys.argv[1])).start().url)"
    command = [sys.executable, "-c", code, str(server.home)]
    starters = [subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    urls = {starter.communicate(timeout=120)[0].strip() for starter in starters}
    assert urls == {server.start().url}
    assert len([command for command in list_commands(server) if command[1:2] == ["-D"]]) == 1


def test_after_a_crash_it_restarts_with_all_committed_data(server):
    server.durable = True
    connection = server.start()
    query(connection, "CREATE TABLE kept AS SELECT 42 AS answer")
    pid = server.find_pid()
    assert pid is not None
    # A busy backend does not notice at once that its server is gone, and holds the shared memory.
    with psycopg.connect(connection.url, autocommit=True) as session:
        backend = session.info.backend_pid
        os.kill(backend, signal.SIGSTOP)
        os.kill(pid, signal.SIGKILL)
        psutil.Process(pid).wait(30)
        assert not server.is_running()
        assert server.start() == connection
    assert not psutil.pid_exists(backend)
    assert query(connection, "SELECT answer FROM kept") == [(42,)]


def test_a_pid_file_that_names_another_process_is_ignored(server):
    connection = server.start()
    server.stop()
    (server.data / "postmaster.pid").write_text(f"{os.getpid()}\n{server.data}\n0\n{connection.port}\n")
    assert not server.is_running()
    assert server.start() == connection


def test_a_port_in_use_is_replaced(server):
    connection = server.start()
    server.stop()
    with socket.socket() as other_program:
        other_program.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other_program.bind(("127.0.0.1", connection.port))
        other_program.listen()
        other = server.start()
        assert other.port != connection.port
        assert query(other, "SELECT 1") == [(1,)]


def test_an_interrupted_setup_does_not_block_the_next(server):
    half_done = server.home / "postgres.new-abc"
    (half_done / "base").mkdir(parents=True)
    (half_done / "PG_VERSION").write_text("18")
    assert query(server.start(), "SELECT 1") == [(1,)]
    assert not half_done.exists()


@pytest.mark.parametrize("running", [True, False])
def test_a_lost_state_file_locks_nobody_out(server, running):
    connection = server.start()
    query(connection, "CREATE TABLE kept AS SELECT 42 AS answer")
    if not running:
        server.stop()
    get_server_state_path(server.home).unlink()
    restarted = server.start()
    assert restarted.password != connection.password
    assert query(restarted, "SELECT answer FROM kept") == [(42,)]


def test_a_directory_that_is_not_a_database_is_left_alone(server):
    server.data.mkdir(parents=True)
    (server.data / "letter.txt").write_text("dear")
    with pytest.raises(EmbeddedServerError, match="is not a PostgreSQL data directory"):
        server.start()
    assert (server.data / "letter.txt").read_text() == "dear"


def test_a_database_of_another_version_is_left_alone(server):
    server.data.mkdir(parents=True)
    (server.data / "PG_VERSION").write_text("16\n")
    with pytest.raises(EmbeddedServerError, match="created by PostgreSQL 16"):
        server.start()


def test_an_unwritable_home_is_reported(tmp_path):
    (tmp_path / "home").write_text("a file")
    with pytest.raises(EmbeddedServerError, match="HEIMDEX_HOME"):
        EmbeddedServer(tmp_path / "home").start()


def test_stopping_a_server_that_never_ran_does_nothing(server):
    server.stop()
    assert not server.home.exists()
