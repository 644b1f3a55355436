"""A migration waits for a lock only briefly, tries again, and changes nothing when it gives up."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from heimdex.database.server import EmbeddedServer

ROOT = Path(__file__).resolve().parents[3]
LOCK = "LOCK TABLE django_q_ormq IN ACCESS SHARE MODE"

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a database with the tables of one app, which needs no other."""
    server = EmbeddedServer(tmp_path_factory.mktemp("migrated"), durable=False)
    address = server.start().url
    process = start_migration(address)
    assert process.wait() == 0, process.communicate()
    yield address
    server.stop()


def start_migration(url: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "manage.py", "migrate", "django_q", *arguments]
    environment = os.environ | {"HEIMDEX_DATABASE_URL": url}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def has_waited(session: psycopg.Connection) -> bool:
    row = session.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'django_q_ormq'::regclass").fetchone()
    return bool(row and row[0])


def wait_for_wait(session: psycopg.Connection, *, waiting: bool) -> None:
    """Wait until a migration waits for the table, or no longer does."""
    deadline = time.monotonic() + 120
    while has_waited(session) is not waiting:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_nobody_waits_behind_a_migration_for_long_and_it_gives_up_with_a_sentence(url: str) -> None:
    with psycopg.connect(url) as reader, psycopg.connect(url, autocommit=True) as other:
        reader.execute(LOCK)
        process = start_migration(url, "zero", "--lock-timeout", "1")
        wait_for_wait(other, waiting=True)
        # It queues behind the migration, and gets through although the first reader goes on.
        other.execute("SET statement_timeout = '10s'")
        other.execute("SELECT count(*) FROM django_q_ormq")
        output, error = process.communicate()
    assert process.returncode == 1, output
    assert "Another transaction has held a lock that a migration needs: 5 attempts waited 1 s each." in error
    assert "Traceback" not in error
    with psycopg.connect(url) as session:
        assert session.execute("SELECT count(*) FROM django_q_ormq").fetchone() == (0,)


def test_a_migration_is_applied_when_the_lock_is_free_at_a_later_attempt(url: str) -> None:
    with psycopg.connect(url) as reader, psycopg.connect(url, autocommit=True) as other:
        reader.execute(LOCK)
        process = start_migration(url, "zero", "--lock-timeout", "1")
        wait_for_wait(other, waiting=True)
        wait_for_wait(other, waiting=False)
        reader.rollback()
        assert process.wait() == 0, process.communicate()
        assert other.execute("SELECT to_regclass('django_q_ormq')").fetchone() == (None,)
