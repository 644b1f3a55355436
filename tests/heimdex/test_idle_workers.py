"""Only a process that can start a task now takes it, so that no worker is idle while a task waits elsewhere."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from django.conf import LazySettings
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from heimdex import queue
from heimdex.queue import REPROCESS, Task, TaskCounts, count_tasks, enqueue
from heimdex.services.definitions import has_grandchildren
from heimdex.worker_activity import TrackingBroker, WorkerActivity
from tests.acceptance.conftest import build_worker_environment
from tests.heimdex.equal_tasks import RELEASED
from tests.heimdex.valkey import Valkey

ROOT = Path(__file__).resolve().parents[2]
TASKS = 100
WORK_RUN, NO_RUN = "reprocess.tasks.work_run", "00000000-0000-0000-0000-000000000000"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=["database", "redis"])
def redis_url(request: pytest.FixtureRequest, settings: LazySettings, tmp_path: Path) -> Iterator[str]:
    OrmQ.objects.all().delete()
    if request.param == "database":
        yield settings.REDIS_URL
        return
    valkey = Valkey(tmp_path / "valkey")
    valkey.start()
    settings.REDIS_URL = valkey.url
    yield valkey.url
    valkey.stop()


@contextmanager
def run_clusters(clusters: int, workers: int, redis_url: str, logs: Path) -> Iterator[None]:
    variables = {"HEIMDEX_REDIS_URL": redis_url, "HEIMDEX_REPROCESS_WORKERS": str(workers), "Q_CLUSTER_NAME": REPROCESS}
    processes = []
    for number in range(clusters):
        with (logs / f"cluster-{number}").open("wb") as log:
            command = [sys.executable, "manage.py", "work", REPROCESS]
            environment = build_worker_environment() | variables
            processes.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True))
    try:
        for process in processes:
            cluster = psutil.Process(process.pid)
            wait_until(lambda: has_grandchildren(cluster), lambda: "the workers have not started")  # noqa: B023 - called at once
        yield
    finally:
        for process in processes:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def read_begun(directory: Path) -> list[tuple[str, str, str]]:
    """Return number, worker and cluster of each task that was begun."""
    file = directory / "begun"
    lines = file.read_text().splitlines() if file.exists() else []
    return [(number, worker, cluster) for number, worker, cluster in map(str.split, lines)]


def wait_until(condition: Callable[[], bool], event: Callable[[], str]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, event()
        time.sleep(0.1)


@pytest.mark.integration
@pytest.mark.parametrize(("clusters", "workers"), [(1, 4), (4, 1)])
def test_four_workers_share_a_hundred_tasks_and_take_none_that_they_cannot_start(
    clusters: int, workers: int, redis_url: str, tmp_path: Path
) -> None:
    # The clusters start first, because each returns to the queue what others have taken before.
    with run_clusters(clusters, workers, redis_url, tmp_path):
        for number in range(TASKS):
            queue._send(Task("tests.heimdex.equal_tasks.report", queue=REPROCESS), (str(tmp_path), str(number)))
        wait_until(lambda: len(read_begun(tmp_path)) == 4, lambda: f"begun: {read_begun(tmp_path)}, {count_tasks(REPROCESS)}")
        # Twenty polling intervals.
        for _ in range(20):
            assert count_tasks(REPROCESS) == TaskCounts(waiting=TASKS - 4, unacked=4)
            time.sleep(0.2)
        begun = read_begun(tmp_path)
        assert (len({worker for _, worker, _ in begun}), len({cluster for _, _, cluster in begun})) == (4, clusters)
        (tmp_path / RELEASED).touch()
        wait_until(lambda: count_tasks(REPROCESS) == TaskCounts(0, 0), lambda: str(count_tasks(REPROCESS)))
    begun = read_begun(tmp_path)
    assert sorted(int(number) for number, _, _ in begun) == list(range(TASKS)), "every task is run, and only once"
    shares = Counter(worker for _, worker, _ in begun)
    assert min(shares.values()) >= TASKS / 4 / 2, f"no worker is idle for long: {shares}"


def test_a_task_stays_in_the_queue_until_a_worker_is_free() -> None:
    OrmQ.objects.all().delete()
    for _ in range(4):
        enqueue(WORK_RUN, NO_RUN)
    activity = WorkerActivity()
    broker = TrackingBroker(queue._get_broker(REPROCESS), activity, workers=2)
    assert len(broker.dequeue()) == 1
    assert len(broker.dequeue()) == 1
    assert not broker.dequeue(), "two tasks are on their way to two workers"
    activity.begin_task()
    assert not broker.dequeue(), "one worker is busy, and the other is about to begin"
    activity.end_task()
    assert len(broker.dequeue()) == 1
    assert count_tasks(REPROCESS) == TaskCounts(waiting=1, unacked=3)


def test_a_task_that_cannot_be_read_occupies_no_worker() -> None:
    OrmQ.objects.all().delete()
    OrmQ.objects.create(key=REPROCESS, payload=SignedPackage.dumps({}) + "changed", lock="2020-01-01T00:00:00Z")
    activity = WorkerActivity()
    broker = TrackingBroker(queue._get_broker(REPROCESS), activity, workers=1)
    ((receipt, _),) = broker.dequeue()
    assert activity.count_prefetched() == 1
    broker.fail(receipt)
    assert (activity.count_prefetched(), count_tasks(REPROCESS)) == (0, TaskCounts(0, 0))


def test_a_worker_that_died_during_a_task_leaves_a_place_for_its_successor() -> None:
    OrmQ.objects.all().delete()
    activity = WorkerActivity()
    activity.add_prefetched(1)
    worker = os.fork()
    if worker == 0:
        activity.begin_task()
        os._exit(9)
    os.waitpid(worker, 0)
    assert activity.count_free(1) == 1
    assert activity.pop_deaths() == 0, "the watchdog's process counts deaths, not the process that asks for tasks"
