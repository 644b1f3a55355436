"""Tasks that an older secret key signed run after a rotation, and workers without a key lose none, in the database and in Redis."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core import signing
from django.utils import timezone
from django_q.conf import Conf
from django_q.models import OrmQ, Success
from django_q.signing import PickleSerializer, SignedPackage
from redis import Redis

from heimdex import queue
from heimdex.queue import TaskCounts, VerifyingBroker, count_tasks, enqueue, flush_fallback_queue, measure_oldest_wait_s, requeue_unacked
from heimdex.redis_broker import QueueUnavailable, RedisBroker
from tests.acceptance.conftest import build_worker_environment
from tests.heimdex.test_queue_brokers import NO_RUN, ROOT, WORK_RUN, broker, redis, server, wait_until
from tests.heimdex.valkey import Valkey

__all__ = ["broker", "redis", "server"]
OLD_KEY, NEW_KEY = "the key before the rotation", "the key after the rotation"

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("broker")]


def send(key: str) -> None:
    """Put a task into the queue as a process with this key does."""
    task = {"id": key[:32], "name": key, "func": WORK_RUN, "args": (NO_RUN,), "kwargs": {}, "started": timezone.now(), "ack_failure": True}
    queue._get_broker("reprocess").enqueue(signing.dumps(task, key=key, salt=Conf.PREFIX, serializer=PickleSerializer, compress=False))


def run_workers(settings: LazySettings, log: Path, **variables: str) -> subprocess.Popen[bytes]:
    environment = build_worker_environment() | {"HEIMDEX_REDIS_URL": settings.REDIS_URL, "HEIMDEX_SECRET_KEY": NEW_KEY} | variables
    with log.open("wb") as file:
        return subprocess.Popen([sys.executable, "manage.py", "work", "reprocess"], cwd=ROOT, env=environment, stdout=file, stderr=file)


def stop(process: subprocess.Popen[bytes]) -> int:
    process.send_signal(signal.SIGTERM)
    return process.wait()


def test_a_task_of_the_old_key_is_dequeued_for_workers_with_the_new_one(settings: LazySettings) -> None:
    settings.SECRET_KEY_FALLBACKS = [OLD_KEY]
    send(OLD_KEY)
    assert measure_oldest_wait_s("reprocess") > 0
    verifying = VerifyingBroker(queue._get_broker("reprocess"))
    ((receipt, payload),) = verifying.dequeue()
    assert SignedPackage.loads(payload)["args"] == (NO_RUN,)
    verifying.acknowledge(receipt)
    assert count_tasks("reprocess") == TaskCounts(0, 0)


def test_a_task_of_an_unknown_key_is_kept_and_does_not_hold_up_others(settings: LazySettings) -> None:
    settings.SECRET_KEY_FALLBACKS = []
    send(NEW_KEY)
    enqueue(WORK_RUN, NO_RUN)
    verifying = VerifyingBroker(queue._get_broker("reprocess"))
    # The watchdog of the workers asks for it, and must survive.
    measure_oldest_wait_s("reprocess")
    assert not verifying.dequeue()
    assert len(verifying.dequeue()) == 1
    assert count_tasks("reprocess") == TaskCounts(0, 2)
    requeue_unacked("reprocess")
    assert count_tasks("reprocess") == TaskCounts(2, 0)


@pytest.mark.integration
def test_workers_run_the_tasks_of_both_keys_and_keep_those_of_an_unknown_one(settings: LazySettings, tmp_path: Path) -> None:
    send(NEW_KEY)
    old = run_workers(settings, tmp_path / "old", HEIMDEX_SECRET_KEY=OLD_KEY)
    try:
        wait_until(lambda: count_tasks("reprocess") == TaskCounts(0, 1), "the refusal of the task of an unknown key")
        send(OLD_KEY)
        wait_until(lambda: Success.objects.filter(name=OLD_KEY).exists(), "the work on the task of the old key")
        wait_until(lambda: count_tasks("reprocess") == TaskCounts(0, 1), "its acknowledgment")
        assert "HEIMDEX_SECRET_KEY" in (tmp_path / "old").read_text()
    finally:
        assert stop(old) == 0, (tmp_path / "old").read_text()
    send(OLD_KEY)
    Success.objects.all().delete()
    new = run_workers(settings, tmp_path / "new", HEIMDEX_SECRET_KEY_FALLBACKS=OLD_KEY)
    try:
        wait_until(lambda: Success.objects.filter(name__in=[OLD_KEY, NEW_KEY]).count() == 2, "the work on the tasks of both keys")
        wait_until(lambda: count_tasks("reprocess") == TaskCounts(0, 0), "their acknowledgment")
    finally:
        assert stop(new) == 0, (tmp_path / "new").read_text()
    assert not OrmQ.objects.exists()


@pytest.mark.integration
def test_the_password_of_redis_rotates_without_losing_a_task(redis: Valkey, settings: LazySettings) -> None:
    old_url, new_url = redis.url, f"redis://:of-tomorrow@127.0.0.1:{redis.port}/0"
    enqueue(WORK_RUN, NO_RUN)
    assert not works(new_url)
    set_rule(old_url, ">of-tomorrow")
    try:
        # A process with the new password beside those with the old one.
        assert (works(old_url), works(new_url)) == (True, True)
        settings.REDIS_URL = new_url
        enqueue(WORK_RUN, NO_RUN)
        assert count_tasks("reprocess") == TaskCounts(2, 0)
        set_rule(new_url, "<p@ss:word/!")
        assert (works(old_url), works(new_url)) == (False, True)
        # A process that was not restarted in time stores its tasks in the database.
        queue._connect.cache_clear()
        settings.REDIS_URL = old_url
        enqueue(WORK_RUN, NO_RUN)
        settings.REDIS_URL = new_url
        assert count_tasks("reprocess") == TaskCounts(3, 0)
        assert flush_fallback_queue("reprocess") == 1
    finally:
        set_rule(new_url, ">p@ss:word/!")
        set_rule(old_url, "<of-tomorrow")


def set_rule(url: str, rule: str) -> None:
    with Redis.from_url(url) as client:
        client.execute_command("ACL", "SETUSER", "default", rule)


def works(url: str) -> bool:
    """Return whether a new connection is accepted."""
    try:
        return RedisBroker(url, "reprocess").ping()
    except QueueUnavailable as error:
        return "correct HEIMDEX_REDIS_URL" not in str(error)
