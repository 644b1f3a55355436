"""The guarantees of the queue, with the database and with Redis, and its behavior while Redis is down."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import transaction
from django.test import Client
from django_q.models import OrmQ, Success
from redis.connection import Connection

from heimdex import queue
from heimdex.queue import TaskCounts, count_tasks, enqueue, flush_fallback_queue, measure_oldest_wait_s, requeue_unacked
from heimdex.redis_broker import QueueUnavailable
from tests.acceptance.conftest import build_worker_environment
from tests.heimdex.valkey import Valkey

ROOT = Path(__file__).resolve().parents[2]
WORK_RUN, NO_RUN = "reprocess.tasks.work_run", "00000000-0000-0000-0000-000000000000"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    valkey = Valkey(tmp_path_factory.mktemp("valkey") / "data", password="p@ss:word/!")
    valkey.start()
    yield valkey
    valkey.stop()


@pytest.fixture
def redis(server: Valkey, settings: LazySettings) -> Valkey:
    """Return the server that the settings name, running and empty."""
    OrmQ.objects.all().delete()
    settings.REDIS_URL = server.url
    for name in queue.QUEUES:
        queue._get_broker(name).purge_queue()
    return server


@pytest.fixture(params=["database", pytest.param("redis", marks=pytest.mark.integration)])
def broker(request: pytest.FixtureRequest) -> None:
    OrmQ.objects.all().delete()
    Success.objects.all().delete()
    if request.param == "redis":
        request.getfixturevalue("redis")


def take(name: str) -> str:
    """Dequeue a task as a cluster does, and return its receipt."""
    ((receipt, _),) = queue._get_broker(name).dequeue()
    return str(receipt)


def start_workers(settings: LazySettings, log: Path) -> subprocess.Popen[bytes]:
    """Run the workers of one queue on the suite's database."""
    environment = build_worker_environment() | {"HEIMDEX_REDIS_URL": settings.REDIS_URL}
    with log.open("wb") as file:
        return subprocess.Popen([sys.executable, "manage.py", "work", "reprocess"], cwd=ROOT, env=environment, stdout=file, stderr=file)


def wait_until(condition: Callable[[], bool], event: str) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, f"{event} did not happen"
        time.sleep(0.1)


@pytest.mark.usefixtures("broker")
def test_a_task_waits_in_its_queue_once_its_transaction_is_committed() -> None:
    with transaction.atomic():
        enqueue("videos.tasks.ingest_video", NO_RUN)
        assert count_tasks("uploads") == TaskCounts(0, 0)
    assert (count_tasks("uploads"), count_tasks("reprocess")) == (TaskCounts(1, 0), TaskCounts(0, 0))
    assert measure_oldest_wait_s("uploads") > 0 == measure_oldest_wait_s("reprocess")


@pytest.mark.usefixtures("broker")
def test_a_taken_task_is_kept_until_it_is_acknowledged_and_can_be_requeued() -> None:
    enqueue(WORK_RUN, NO_RUN)
    enqueue(WORK_RUN, NO_RUN)
    done, lost = take("reprocess"), take("reprocess")
    assert done != lost
    assert count_tasks("reprocess") == TaskCounts(0, 2)
    queue._get_broker("reprocess").acknowledge(done)
    assert count_tasks("reprocess") == TaskCounts(0, 1)
    requeue_unacked("reprocess")
    assert count_tasks("reprocess") == TaskCounts(1, 0)
    queue._get_broker("reprocess").acknowledge(take("reprocess"))
    assert count_tasks("reprocess") == TaskCounts(0, 0)


@pytest.mark.integration
@pytest.mark.usefixtures("broker")
def test_workers_run_waiting_tasks_and_those_that_a_killed_process_had_taken(settings: LazySettings, tmp_path: Path) -> None:
    enqueue(WORK_RUN, NO_RUN)
    take("reprocess")
    enqueue(WORK_RUN, NO_RUN)
    process = start_workers(settings, tmp_path / "log")
    try:
        wait_until(lambda: Success.objects.filter(func=WORK_RUN).count() == 2, "the work on both tasks")
        wait_until(lambda: count_tasks("reprocess") == TaskCounts(0, 0), "their acknowledgment")
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 0, (tmp_path / "log").read_text()


@pytest.mark.integration
def test_workers_stopped_while_starting_end_without_a_warning(settings: LazySettings, tmp_path: Path) -> None:
    process = start_workers(settings, tmp_path / "log")
    parent = psutil.Process(process.pid)
    while not parent.children():
        assert process.poll() is None, (tmp_path / "log").read_text()
    process.send_signal(signal.SIGTERM)
    assert (process.wait(), (tmp_path / "log").read_text()) == (0, "")


@pytest.mark.usefixtures("broker")
def test_health_and_admin_show_the_queues(admin_client: Client) -> None:
    assert admin_client.get("/healthz").json()["queue"] == "ok"
    page = admin_client.get("/admin/django_q/success/").content.decode()
    assert "uploads: 0 waiting, 0 in progress; reprocess: 0 waiting, 0 in progress" in page


def test_tasks_enqueued_while_redis_is_down_are_stored_and_sent_later(redis: Valkey, admin_client: Client) -> None:
    enqueue("videos.tasks.ingest_video", "before")
    redis.stop()
    try:
        enqueue("videos.tasks.ingest_video", "meanwhile")
        with pytest.raises(QueueUnavailable, match=f"127.0.0.1:{redis.port}/0 does not work .*Start Redis 6.2 or newer, or correct"):
            count_tasks("uploads")
        with pytest.raises(QueueUnavailable):
            flush_fallback_queue("uploads")
        health = admin_client.get("/healthz")
        assert (health.status_code, health.json()) == (200, {"status": "ok", "database": "ok", "queue": "unreachable"})
        assert "Start Redis 6.2 or newer" in admin_client.get("/admin/django_q/success/").content.decode()
        assert queue._get_broker("uploads").dequeue() is None
        with pytest.raises(SystemCheckError, match="correct HEIMDEX_REDIS_URL") as error:
            call_command("check")
        assert "word" not in str(error.value)
    finally:
        redis.start()
    call_command("check")
    assert count_tasks("uploads") == TaskCounts(2, 0)
    assert flush_fallback_queue("uploads") == 1
    assert flush_fallback_queue("uploads") == 0
    assert not OrmQ.objects.exists()
    assert count_tasks("uploads") == TaskCounts(2, 0)
    assert take("uploads") != take("uploads")


def test_a_frozen_redis_delays_a_single_request(redis: Valkey, admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    read = Connection.read_response

    def count(*arguments: Any, **options: Any) -> Any:
        waits.append(0)
        return read(*arguments, **options)

    with redis.frozen():
        monkeypatch.setattr(Connection, "read_response", count)
        for number in range(20):
            enqueue("videos.tasks.ingest_video", str(number))
        # The server is asked once: the other tasks go to the database at once.
        assert (len(waits), OrmQ.objects.count()) == (1, 20)
        assert admin_client.get("/healthz").json()["queue"] == "unreachable"
        assert len(waits) == 1
    queue._get_broker("uploads")._ignored_until = 0
    assert flush_fallback_queue("uploads") == 20


def test_a_task_that_a_frozen_redis_gives_to_nobody_is_delivered_later(redis: Valkey) -> None:
    broker = queue._get_broker("uploads")
    enqueue("videos.tasks.ingest_video", "waiting")
    with redis.frozen():
        assert broker.dequeue() is None
    # The server has executed the command, and its client is gone.
    wait_until(lambda: count_tasks("uploads") == TaskCounts(waiting=0, unacked=1), "the late execution of the command")
    assert take("uploads")
    assert count_tasks("uploads") == TaskCounts(waiting=0, unacked=1)


def test_workers_do_not_start_without_their_queue_and_report_the_reason(redis: Valkey) -> None:
    environment = build_worker_environment() | {"HEIMDEX_REDIS_URL": "redis://:secret@127.0.0.1:1/0"}
    ended = subprocess.run([sys.executable, "manage.py", "work", "uploads"], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert ended.returncode == 1
    assert "The task queue at 127.0.0.1:1/0 does not work" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "secret" not in ended.stderr


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://:secret@host", "it starts with 'http'"),
        ("redis://:secret@", "the host is missing"),
        ("redis://:sec/ret@host:1", "percent-encode special characters of the password"),
        ("redis://:secret@host:6379/zero", "a database number, such as /0"),
    ],
)
def test_an_invalid_redis_url_stops_every_command_with_a_message(url: str, problem: str) -> None:
    environment = os.environ | {"HEIMDEX_REDIS_URL": url}
    ended = subprocess.run([sys.executable, "manage.py", "check"], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert ended.returncode == 1
    assert "HEIMDEX_REDIS_URL: " in ended.stderr
    assert problem in ended.stderr
    assert "sec" not in ended.stderr.replace("seconds", "")
