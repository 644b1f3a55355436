"""Workers that are killed or told to stop: waiting tasks still run, and no work is left half done."""

import json
import os
import signal
from collections.abc import Callable

import psutil
import pytest
from django_q.models import OrmQ, Success

from heimdex.queue import REPROCESS, enqueue
from reprocess.models import ReprocessRun
from reprocess.planning.scope import Scope
from reprocess.runs.requests import start_run
from tests.acceptance.conftest import Workers, build_worker_environment
from tests.hashing_embedder import SlowTextEmbedder
from tests.library import make_user, make_video

Until = Callable[[Callable[[], bool], str], None]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.integration]


def list_worker_pids(main: int) -> set[int]:
    """Return the processes that the sentinel, the only child of the main process, has started."""
    return {child.pid for sentinel in psutil.Process(main).children() for child in sentinel.children()}


def test_tasks_run_after_idle_workers_are_killed(workers: Workers, wait_until: Until) -> None:
    OrmQ.objects.all().delete()
    Success.objects.all().delete()
    wait_until(lambda: len(list_worker_pids(workers.get_pid("reprocess"))) >= 3, "the start of the workers")
    for pid in list_worker_pids(workers.get_pid("reprocess")):
        os.kill(pid, signal.SIGKILL)
    enqueue("reprocess.tasks.work_run", "00000000-0000-0000-0000-000000000000")

    def is_done() -> bool:
        workers.restart_dead()
        return Success.objects.filter(func="reprocess.tasks.work_run").exists()

    wait_until(is_done, "a task after the workers were killed")


def test_workers_stop_at_a_batch_boundary_on_request(clusters: Workers, transactional_db: None, wait_until: Until) -> None:
    environment = build_worker_environment()
    slow = {"text": {"backend": f"{SlowTextEmbedder.__module__}.{SlowTextEmbedder.__name__}"}}
    clusters.serve({REPROCESS: {**environment, "HEIMDEX_MODELS": json.dumps(json.loads(environment["HEIMDEX_MODELS"]) | slow)}})
    owner = make_user()
    for number in range(4):
        make_video(owner, [f"{number} {place} some words about a subject. " * 9 for place in range(24)], title=str(number))
    run = start_run(Scope("all"), force=True, entry_point="command", requested_by=None)
    runs = ReprocessRun.objects.filter(pk=run.pk)
    wait_until(lambda: runs.filter(model_calls__gt=0).exists(), "the first batch")
    main = psutil.Process(clusters.get_pid("reprocess"))
    main.terminate()
    clusters.wait("reprocess")
    run.refresh_from_db()
    assert run.state == ReprocessRun.State.RUNNING, "the run was not finished, only put down"
    assert set(run.items.values_list("lease_token", "attempts")) == {(None, 0)}
    clusters.restart_dead()
    wait_until(lambda: runs.exclude(state__in=ReprocessRun.OPEN).exists(), "the end of the run")
    run.refresh_from_db()
    assert run.state == ReprocessRun.State.SUCCEEDED
