"""When a process considers its own workers hung, and when it does not, whatever other machines do."""

import os
from collections.abc import Callable

import pytest
from django.conf import LazySettings

from heimdex import cluster_watchdog, queue, worker_activity
from heimdex.cluster_watchdog import ClusterWatchdog
from heimdex.queue import TaskCounts, count_tasks, enqueue
from heimdex.worker_activity import TrackingBroker, WorkerActivity

WORK_RUN, NO_RUN = "reprocess.tasks.work_run", "00000000-0000-0000-0000-000000000000"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def advance_clock(monkeypatch: pytest.MonkeyPatch, settings: LazySettings) -> Callable[[float], None]:
    """Return a function that advances this process's clock by some seconds."""
    settings.HUNG_AFTER_SECONDS = 60
    clock = [1000.0]
    for module in (worker_activity, cluster_watchdog):
        monkeypatch.setattr(module, "monotonic", lambda: clock[0])

    def advance(seconds: float) -> None:
        clock[0] += seconds

    return advance


def test_workers_are_hung_when_a_prefetched_task_waits_beside_a_free_worker(advance_clock: Callable[[float], None]) -> None:
    enqueue(WORK_RUN, NO_RUN)
    activity = WorkerActivity()
    watchdog = ClusterWatchdog("reprocess", 1, activity)
    TrackingBroker(queue._get_broker("reprocess"), activity, 1).dequeue()
    advance_clock(59)
    assert not watchdog.is_hung()
    advance_clock(2)
    assert not watchdog.is_hung(), "a worker may begin it at this moment, as after an outage"
    advance_clock(16)
    assert watchdog.is_hung()


def test_a_task_that_another_machine_runs_for_hours_does_not_make_workers_hung(advance_clock: Callable[[float], None]) -> None:
    enqueue(WORK_RUN, NO_RUN)
    queue._get_broker("reprocess").dequeue()
    watchdog = ClusterWatchdog("reprocess", 1, WorkerActivity())
    for _ in range(10):
        advance_clock(600)
        assert not watchdog.is_hung()


def test_a_task_that_waits_while_all_workers_are_busy_does_not_make_them_hung(advance_clock: Callable[[float], None]) -> None:
    activity = WorkerActivity()
    activity.add_prefetched(2)
    activity.begin_task()
    watchdog = ClusterWatchdog("reprocess", 1, activity)
    for _ in range(10):
        advance_clock(600)
        assert not watchdog.is_hung()
    activity.end_task()
    assert not watchdog.is_hung(), "a worker is about to begin the next one"


def test_the_task_of_a_worker_that_died_is_requeued_a_minute_later(advance_clock: Callable[[float], None]) -> None:
    enqueue(WORK_RUN, NO_RUN)
    activity = WorkerActivity()
    watchdog = ClusterWatchdog("reprocess", 1, activity)
    TrackingBroker(queue._get_broker("reprocess"), activity, 1).dequeue()
    worker = os.fork()
    if worker == 0:
        activity.begin_task()
        os._exit(9)
    os.waitpid(worker, 0)
    assert not watchdog.is_hung()
    watchdog.requeue_after_deaths()
    assert count_tasks("reprocess") == TaskCounts(0, 1)
    advance_clock(61)
    watchdog.requeue_after_deaths()
    assert count_tasks("reprocess") == TaskCounts(1, 0)
