"""When a process takes its own workers for hung, and when it does not, whatever other machines do."""

import os
from collections.abc import Callable

import pytest
from django.conf import LazySettings

from heimdex import busy, queue, workers
from heimdex.busy import BusyWorkers, NotingBroker
from heimdex.queue import Depth, depth, enqueue
from heimdex.workers import Guard

WORK_RUN, NO_RUN = "reprocess.tasks.work_run", "00000000-0000-0000-0000-000000000000"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch, settings: LazySettings) -> Callable[[float], None]:
    """Return a function that lets so many seconds pass on the clock of this process."""
    settings.HUNG_AFTER_SECONDS = 60
    now = [1000.0]
    for module in (busy, workers):
        monkeypatch.setattr(module, "monotonic", lambda: now[0])

    def pass_time(seconds: float) -> None:
        now[0] += seconds

    return pass_time


def test_workers_hang_when_what_their_process_took_lies_beside_a_free_one(later: Callable[[float], None]) -> None:
    enqueue(WORK_RUN, NO_RUN)
    mine = BusyWorkers()
    guard = Guard("reprocess", 1, mine)
    NotingBroker(queue._broker("reprocess"), mine).dequeue()
    later(59)
    assert not guard.hung()
    later(2)
    assert not guard.hung(), "it may be begun in this moment, as after an outage"
    later(16)
    assert guard.hung()


def test_a_task_that_another_machine_works_on_for_hours_makes_nobody_hung(later: Callable[[float], None]) -> None:
    enqueue(WORK_RUN, NO_RUN)
    queue._broker("reprocess").dequeue()
    guard = Guard("reprocess", 1, BusyWorkers())
    for _ in range(10):
        later(600)
        assert not guard.hung()


def test_a_task_that_waits_while_all_workers_are_at_work_makes_nobody_hung(later: Callable[[float], None]) -> None:
    mine = BusyWorkers()
    mine.took(2)
    mine.begin()
    guard = Guard("reprocess", 1, mine)
    for _ in range(10):
        later(600)
        assert not guard.hung()
    mine.end()
    assert not guard.hung(), "the next is about to be begun"


def test_what_a_worker_had_begun_when_it_died_is_handed_back_a_minute_later(later: Callable[[float], None]) -> None:
    enqueue(WORK_RUN, NO_RUN)
    mine = BusyWorkers()
    guard = Guard("reprocess", 1, mine)
    NotingBroker(queue._broker("reprocess"), mine).dequeue()
    worker = os.fork()
    if worker == 0:
        mine.begin()
        os._exit(9)
    os.waitpid(worker, 0)
    assert not guard.hung()
    guard.hand_back_of_the_dead()
    assert depth("reprocess") == Depth(0, 1)
    later(61)
    guard.hand_back_of_the_dead()
    assert depth("reprocess") == Depth(1, 0)
