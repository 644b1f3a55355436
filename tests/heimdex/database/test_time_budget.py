"""A statement that takes too long is canceled, and the connection works on."""

import subprocess
import sys
import time

import pytest
from django.db import OperationalError, connection
from django.test import Client
from rest_framework.test import APIClient

from heimdex.database.time_budget import UNLIMITED, TimeBudget, TimeBudgetExceeded, is_timeout
from tests.acceptance.conftest import lock_table
from tests.library import make_user

pytestmark = pytest.mark.django_db(transaction=True)
SHOW = "SHOW statement_timeout"


def run(statement: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return str(cursor.fetchone()[0])


def test_a_statement_is_canceled_when_the_budget_is_spent() -> None:
    with pytest.raises(TimeBudgetExceeded), TimeBudget(0.1).limit_statements():
        run("SELECT pg_sleep(20)")
    assert run(SHOW) == "0"


def test_the_time_of_earlier_statements_counts_and_that_between_them_does_not() -> None:
    budget = TimeBudget(0.5)
    with budget.limit_statements():
        run("SELECT pg_sleep(0.2)")
    # For example, a model is loaded.
    time.sleep(0.5)
    with budget.limit_statements():
        assert 1 <= int(run(SHOW).removesuffix("ms")) <= 300
    with pytest.raises(TimeBudgetExceeded), budget.limit_statements():
        run("SELECT pg_sleep(20)")
    with pytest.raises(TimeBudgetExceeded), budget.limit_statements():
        pytest.fail("nothing may run once the budget is spent")


def test_parts_beside_each_other_have_the_same_time_and_leave_some_to_what_follows() -> None:
    budget = TimeBudget(2)
    with budget.share() as deadline:
        for _ in range(2):
            with deadline.limit_statements():
                assert 1000 < int(run(SHOW).removesuffix("ms")) <= 1600
        assert 1.0 < (deadline.patience_s or 0) <= 2.1
        with pytest.raises(TimeBudgetExceeded), deadline.limit_statements():
            run("SELECT pg_sleep(20)")
        with pytest.raises(TimeBudgetExceeded), deadline.limit_statements():
            pytest.fail("nothing may run after the deadline")
    with budget.limit_statements():
        assert 1 <= int(run(SHOW).removesuffix("ms")) <= 400
    with UNLIMITED.share() as deadline, deadline.limit_statements():
        assert (run(SHOW), deadline.patience_s) == ("0", None)


def test_a_limited_statement_takes_one_process() -> None:
    with TimeBudget(5).limit_statements():
        assert run("SHOW max_parallel_workers_per_gather") == "0"
    assert run("SHOW max_parallel_workers_per_gather") != "0"


def test_without_a_limit_nothing_is_canceled() -> None:
    with UNLIMITED.limit_statements():
        assert (run(SHOW), connection.in_atomic_block) == ("0", False)


def test_other_errors_are_no_timeouts() -> None:
    with pytest.raises(OperationalError) as raised, TimeBudget(5).limit_statements():
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
    assert answer["Retry-After"] == page["Retry-After"] == "60"
    assert "The database takes too long for this request" in page.content.decode()


def test_the_statements_of_the_web_server_are_limited_and_those_of_workers_are_not() -> None:
    hooks = "from heimdex.services import gunicorn_hooks; gunicorn_hooks.on_starting(None)"
    show = "cursor.execute('SHOW statement_timeout').fetchone()[0], connection.connection.answer_timeout_s"
    code = f"from django.db import connection; cursor = connection.cursor(); print({show})"
    web, worker = (
        subprocess.run([sys.executable, "-c", f"{start}; {code}"], capture_output=True, text=True, check=True, timeout=120).stdout.strip()
        for start in (f"{hooks}; import heimdex.wsgi; gunicorn_hooks.limit_answers()", "import django; django.setup()")
    )
    # The limit of the answers is the longer one: it is for a server that cannot keep the other.
    assert (web, worker) == ("30s 35", "0 None")
