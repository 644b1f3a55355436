"""Between tests the database is empty, and a test that leaves something able to write fails."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.db import connection
from django_q.models import OrmQ

from tests.acceptance.conftest import build_worker_environment, open_session
from tests.database_sessions import Session, end_other_sessions, filter_unfinished
from tests.prepared_database import check_that_tables_are_empty, empty_touched_tables, find_touched_tables

PROGRAM = """
import os, psycopg
with psycopg.connect(os.environ["HEIMDEX_DATABASE_URL"], autocommit=True) as session:
    session.execute("SELECT 'of a worker'")
    print("connected", flush=True)
    input()
"""


@contextmanager
def run_client() -> Iterator["subprocess.Popen[str]"]:
    """Run another process that has a session on the database."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], env=build_worker_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "connected\n"
        yield process
        process.kill()


def test_sessions_of_other_processes_and_those_at_work_are_unfinished() -> None:
    worker, thread = Session(1, 5001, "idle", "SELECT 1"), Session(2, 5002, "idle", "SELECT 2")
    writing = Session(3, 5003, "idle in transaction", "INSERT")
    assert filter_unfinished([worker, thread, writing], {5002, 5003}) == [worker, writing]


@pytest.mark.django_db(transaction=True)
def test_a_process_that_is_left_is_named_and_its_session_ends() -> None:
    with run_client():
        assert [session.query for session in end_other_sessions(connection, wait_s=0)] == ["SELECT 'of a worker'"]
        assert end_other_sessions(connection, wait_s=0) == []


@pytest.mark.django_db(transaction=True)
def test_a_killed_process_is_waited_for() -> None:
    with run_client() as process:
        process.kill()
        process.wait()
        assert end_other_sessions(connection) == []


@pytest.mark.django_db(transaction=True)
def test_a_thread_may_keep_an_idle_session_but_no_transaction() -> None:
    with open_session() as session:
        assert end_other_sessions(connection, wait_s=0) == []
        session.execute("SELECT 'in a transaction'")
        assert [left.query for left in end_other_sessions(connection, wait_s=0)] == ["SELECT 'in a transaction'"]
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")
        session.close()


@pytest.mark.django_db(transaction=True)
def test_rows_that_are_left_fail_the_module_and_are_deleted() -> None:
    assert find_touched_tables(connection) == []
    check_that_tables_are_empty("tests/tidy.py")
    OrmQ.objects.create(key="uploads", payload="")
    with pytest.raises(AssertionError, match=r"tests/untidy.py leaves rows in django_q_ormq\."):
        check_that_tables_are_empty("tests/untidy.py")
    assert empty_touched_tables(connection) == []
