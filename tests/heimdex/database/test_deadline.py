"""A statement that takes too long is canceled, and the connection works on."""

import subprocess
import sys

import pytest
from django.db import OperationalError, connection
from django.test import Client
from rest_framework.test import APIClient

from heimdex.database.deadline import NO_DEADLINE, Deadline, DeadlineExceeded, is_timeout
from tests.acceptance.conftest import lock_table
from tests.library import make_user

pytestmark = pytest.mark.django_db(transaction=True)
SHOW = "SHOW statement_timeout"


def run(statement: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return str(cursor.fetchone()[0])


def test_a_statement_is_canceled_at_the_deadline() -> None:
    with pytest.raises(DeadlineExceeded), Deadline(0.1).limit_statements():
        run("SELECT pg_sleep(20)")
    assert run(SHOW) == "0"


def test_the_time_of_earlier_statements_counts() -> None:
    deadline = Deadline(0.3)
    with deadline.limit_statements():
        run("SELECT pg_sleep(0.2)")
    with deadline.limit_statements():
        assert int(run(SHOW).removesuffix("ms")) <= 100
    with pytest.raises(DeadlineExceeded), deadline.limit_statements():
        run("SELECT pg_sleep(20)")
    with pytest.raises(DeadlineExceeded), deadline.limit_statements():
        pytest.fail("this must not run after the deadline")


def test_without_a_deadline_nothing_is_limited() -> None:
    with NO_DEADLINE.limit_statements():
        assert (run(SHOW), connection.in_atomic_block) == ("0", False)


def test_other_errors_are_no_timeouts() -> None:
    with pytest.raises(OperationalError) as raised, Deadline(5).limit_statements():
        run("SELECT pg_terminate_backend(pg_backend_pid())")
    assert not is_timeout(raised.value)
    assert not is_timeout(ValueError())
    connection.close()


def test_a_request_that_takes_too_long_is_answered_with_a_sentence() -> None:
    owner = make_user()
    api, pages = APIClient(), Client()
    api.force_authenticate(owner)
    pages.force_login(owner)
    run("SELECT set_config('statement_timeout', '200', false)")
    try:
        with lock_table("videos_video"):
            answer, page = api.get("/v1/videos"), pages.get("/")
    finally:
        connection.close()
    assert (answer.status_code, answer.json()) == (
        503,
        {"detail": "The database takes too long for this request at the moment. Try again later."},
    )
    assert page.status_code == 503
    assert "The database takes too long for this request" in page.content.decode()


def test_the_statements_of_the_web_server_are_limited_and_those_of_workers_are_not() -> None:
    hooks = "from heimdex.services import gunicorn_hooks; gunicorn_hooks.on_starting(None)"
    code = "from django.db import connection; cursor = connection.cursor(); print(cursor.execute('SHOW statement_timeout').fetchone()[0])"
    web, worker = (
        subprocess.run([sys.executable, "-c", f"{start}; {code}"], capture_output=True, text=True, check=True, timeout=120).stdout.strip()
        for start in (f"{hooks}; import heimdex.wsgi", "import django; django.setup()")
    )
    assert (web, worker) == ("30s", "0")
