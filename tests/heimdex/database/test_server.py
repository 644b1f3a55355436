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

from heimdex.database.address import Address
from heimdex.database.errors import EmbeddedServerError
from heimdex.database.record import record_path
from heimdex.database.server import EmbeddedServer

CHECKOUT = Path(__file__).resolve().parents[3]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    server = EmbeddedServer(tmp_path / "a checkout" / "häuser.home", durable=False)
    yield server
    server.stop()


def query(address: Address, sql: str) -> list[tuple[object, ...]]:
    with psycopg.connect(address.url, autocommit=True) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchall() if cursor.description else []


def commands_of(server: EmbeddedServer) -> list[list[str]]:
    """Return the command line of each of the server's processes, of which those that serve a connection come and go."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.name() == "postgres" and process.cwd() == str(server.data):
                found.append(process.cmdline())
        except psutil.Error:
            continue
    return found


def test_a_server_starts_from_nothing_keeps_its_data_and_address_and_leaves_no_process(server):
    address = server.start()
    query(address, "CREATE EXTENSION vector")
    query(address, "CREATE TABLE kept (vector halfvec(2))")
    query(address, "INSERT INTO kept VALUES ('[1, 2]')")
    assert server.is_running()
    assert record_path(server.home).stat().st_mode & 0o777 == 0o600
    assert server.data.stat().st_mode & 0o777 == 0o700
    server.stop()
    assert not server.is_running()
    assert commands_of(server) == []
    with pytest.raises(psycopg.OperationalError):
        query(address, "SELECT 1")

    assert server.start() == address
    assert query(address, "SELECT vector::text FROM kept") == [("[1,2]",)]


def test_words_of_every_language_are_split_and_folded(server):
    address = server.start()
    assert query(address, "SELECT lower('ÄPFEL ŠKODA'), to_tsvector('simple', '“Hello” world—naïve ÄPFEL')::text") == [
        ("äpfel škoda", "'hello':1 'naïve':3 'world':2 'äpfel':4")
    ]


def test_nobody_gets_in_without_the_password(server):
    address = server.start()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(host=address.host, port=address.port, user=address.user, password="guess", dbname=address.database)


def test_starting_twice_gives_the_same_server(server):
    address, pid = server.start(), server.pid()
    assert EmbeddedServer(server.home, durable=False).start() == address
    assert server.pid() == pid


def test_two_processes_that_start_at_once_get_one_server(server):
    code = "import pathlib, sys, heimdex.database.server as s; print(s.EmbeddedServer(pathlib.Path(sys.argv[1])).start().url)"
    command = [sys.executable, "-c", code, str(server.home)]
    starters = [subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    urls = {starter.communicate(timeout=120)[0].strip() for starter in starters}
    assert urls == {server.start().url}
    assert len([command for command in commands_of(server) if command[1:2] == ["-D"]]) == 1


def test_after_a_crash_it_starts_again_with_everything_committed(server):
    server.durable = True
    address = server.start()
    query(address, "CREATE TABLE kept AS SELECT 42 AS answer")
    pid = server.pid()
    assert pid is not None
    # A backend that is busy does not notice at once that its server is gone, and holds the shared memory.
    with psycopg.connect(address.url, autocommit=True) as connection:
        backend = connection.info.backend_pid
        os.kill(backend, signal.SIGSTOP)
        os.kill(pid, signal.SIGKILL)
        psutil.Process(pid).wait(30)
        assert not server.is_running()
        assert server.start() == address
    assert not psutil.pid_exists(backend)
    assert query(address, "SELECT answer FROM kept") == [(42,)]


def test_a_pid_file_that_names_a_stranger_is_not_believed(server):
    address = server.start()
    server.stop()
    (server.data / "postmaster.pid").write_text(f"{os.getpid()}\n{server.data}\n0\n{address.port}\n")
    assert not server.is_running()
    assert server.start() == address


def test_a_taken_port_gives_another_one(server):
    address = server.start()
    server.stop()
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", address.port))
        stranger.listen()
        other = server.start()
        assert other.port != address.port
        assert query(other, "SELECT 1") == [(1,)]


def test_an_interrupted_set_up_does_not_stop_the_next(server):
    half_done = server.home / "postgres.new-abc"
    (half_done / "base").mkdir(parents=True)
    (half_done / "PG_VERSION").write_text("18")
    assert query(server.start(), "SELECT 1") == [(1,)]
    assert not half_done.exists()


@pytest.mark.parametrize("running", [True, False])
def test_a_lost_record_locks_nobody_out(server, running):
    address = server.start()
    query(address, "CREATE TABLE kept AS SELECT 42 AS answer")
    if not running:
        server.stop()
    record_path(server.home).unlink()
    renewed = server.start()
    assert renewed.password != address.password
    assert query(renewed, "SELECT answer FROM kept") == [(42,)]


def test_a_directory_that_is_no_database_is_left_alone(server):
    server.data.mkdir(parents=True)
    (server.data / "letter.txt").write_text("dear")
    with pytest.raises(EmbeddedServerError, match="is no PostgreSQL data directory"):
        server.start()
    assert (server.data / "letter.txt").read_text() == "dear"


def test_a_database_of_another_version_is_left_alone(server):
    server.data.mkdir(parents=True)
    (server.data / "PG_VERSION").write_text("16\n")
    with pytest.raises(EmbeddedServerError, match="made by PostgreSQL 16"):
        server.start()


def test_a_home_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "home").write_text("a file")
    with pytest.raises(EmbeddedServerError, match="HEIMDEX_HOME"):
        EmbeddedServer(tmp_path / "home").start()


def test_stopping_what_never_ran_does_nothing(server):
    server.stop()
    assert not server.home.exists()
