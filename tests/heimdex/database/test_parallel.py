"""Parts of a request run beside each other, each with its own connection."""

import threading

import pytest
from django.db import connection

from heimdex.database import parallel
from heimdex.database.parallel import RequestPart


def get_backend() -> tuple[int, str]:
    """Return the connection and the thread of a part."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0], threading.current_thread().name


@pytest.mark.django_db(transaction=True)
def test_parts_run_beside_each_other_on_connections_of_their_own() -> None:
    all_run = threading.Barrier(3, timeout=10)

    def work() -> int:
        all_run.wait()
        return get_backend()[0]

    first, second = RequestPart(work), RequestPart(work)
    all_run.wait()
    assert len({first.finish(10), second.finish(10), get_backend()[0]}) == 3


@pytest.mark.django_db
def test_within_a_transaction_parts_see_what_it_has_written() -> None:
    assert RequestPart(get_backend).finish(None) == get_backend()


@pytest.mark.django_db(transaction=True)
def test_a_part_without_a_free_thread_runs_when_it_is_needed() -> None:
    release = threading.Event()
    all_run = threading.Barrier(parallel.MAX_THREADS + 1, timeout=10)

    def work() -> bool:
        all_run.wait()
        return release.wait(10)

    busy = [RequestPart(work) for _ in range(parallel.MAX_THREADS)]
    all_run.wait()
    try:
        assert RequestPart(get_backend).finish(0) == get_backend()
    finally:
        release.set()
    assert all(part.finish(10) for part in busy)


@pytest.mark.django_db(transaction=True)
def test_errors_are_raised_and_late_parts_are_left_alone() -> None:
    def fail() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        RequestPart(fail).finish(10)
    started, release = threading.Event(), threading.Event()

    def wait() -> None:
        started.set()
        release.wait()

    late = RequestPart(wait)
    started.wait(10)
    with pytest.raises(TimeoutError):
        late.finish(0.01)
    release.set()
