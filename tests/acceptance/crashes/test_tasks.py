"""A task is a wake-up: delivered twice, lost or out of order, it changes neither the outcome of a run nor its cost."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from django_q.models import OrmQ
from pytest_django import Settings
from redis import Redis

from heimdex.queue import REPROCESS, enqueue
from reprocess.actions.runs import cancel_run
from reprocess.models import ReprocessItem, ReprocessRun
from reprocess.planning.scope import Scope
from reprocess.runs.requests import start_run
from tests.acceptance.conftest import Workers
from tests.acceptance.crashes.conftest import QUEUES
from tests.acceptance.crashes.library import INPUTS, SECOND, make_library
from tests.acceptance.crashes.models import CountingServer
from tests.acceptance.crashes.outcome import assert_complete, have_all_ended

Until = Callable[[Callable[[], bool], str], None]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.integration]

WORK = "reprocess.tasks.work_run"


@contextmanager
def freeze_workers(workers: Workers) -> Iterator[None]:
    """Stop all workers during the block."""
    os.killpg(workers.get_pid(REPROCESS), signal.SIGSTOP)
    yield
    os.killpg(workers.get_pid(REPROCESS), signal.SIGCONT)


def lose_tasks(redis_url: str) -> None:
    if redis_url:
        with Redis.from_url(redis_url) as server:
            server.flushall()
    else:
        OrmQ.objects.all().delete()


@pytest.mark.parametrize("redis_url", QUEUES, indirect=True)
def test_duplicate_late_and_lost_tasks_change_nothing(
    redis_url: str, second_model_workers: Workers, embeddings: CountingServer, settings: Settings, wait_until: Until
) -> None:
    owners = {word: make_library(settings, embeddings, word) for word in ("usual", "twice", "lost", "emptied", "reversed")}
    embeddings.hold("emptied")
    with freeze_workers(second_model_workers):
        ended = start_run(Scope("all"), force=True, entry_point="command", requested_by=None)
        cancel_run(ended.pk)
        runs = {
            word: start_run(Scope("owner", owner_id=owner.pk), force=False, entry_point="command", requested_by=None)
            for word, owner in owners.items()
        }
        # Films with an earlier attempt are acquired one at a time, so several workers share one run.
        ReprocessItem.objects.update(attempts=1)
        lose_tasks(redis_url)
        for run_id in (uuid4(), ended.pk, *(runs[word].pk for word in ("reversed", "emptied", *["twice"] * 4, "usual"))):
            enqueue(WORK, str(run_id))
    wait_until(embeddings.held.is_set, "the second call of the run whose queue is emptied")
    lose_tasks(redis_url)
    embeddings.release()
    wait_until(lambda: have_all_ended(second_model_workers), "the end of all runs")

    for word, owner in owners.items():
        assert_complete(runs[word], owner, word)
        sent = embeddings.count_documents(SECOND, word)
        assert (len(sent), sum(sent.values())) == (INPUTS, INPUTS), word
        assert runs[word].model_calls == runs["usual"].model_calls > 0, word
    ended.refresh_from_db()
    assert ended.state == ReprocessRun.State.CANCELLED
