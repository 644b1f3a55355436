"""A run without a worker is enqueued again. A run that waits for its turn is not."""

from datetime import timedelta
from unittest import mock

import pytest
from django.conf import settings
from django.utils import timezone
from django_q.models import OrmQ

from reprocess.actions.runs import cancel_run
from reprocess.models import ReprocessItem, ReprocessRun
from reprocess.planning.scope import Scope
from reprocess.runs.requests import start_run
from reprocess.runs.rescue import rescue_runs
from reprocess.runs.worker import run_worker
from tests.library import make_user, make_video
from videos.models import SceneEmbedding

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run() -> ReprocessRun:
    make_video(make_user(), ["A boat at sea."])
    return start_run(Scope("all"), force=False, entry_point="command", requested_by=None)


def set_woken_at(ago_s: float) -> None:
    ReprocessRun.objects.update(woken_at=timezone.now() - timedelta(seconds=ago_s))


def test_a_run_with_a_lost_task_is_enqueued_after_one_lease(run: ReprocessRun) -> None:
    # A worker may have died before its first lease, or after its last.
    OrmQ.objects.all().delete()
    set_woken_at(settings.LEASE_SECONDS / 2)
    assert rescue_runs() == 0
    set_woken_at(settings.LEASE_SECONDS + 1)
    assert rescue_runs() == 1
    assert OrmQ.objects.count() == 1
    # It has just been enqueued.
    assert rescue_runs() == 0


def test_no_tasks_pile_up_while_tasks_are_waiting(run: ReprocessRun) -> None:
    set_woken_at(settings.LEASE_SECONDS + 1)
    assert rescue_runs() == 0
    assert OrmQ.objects.count() == 1
    # The waiting task may belong to another run.
    set_woken_at(3600)
    assert rescue_runs() == 1


def test_a_run_with_a_lease_is_enqueued_only_after_it_expires(run: ReprocessRun) -> None:
    OrmQ.objects.all().delete()
    set_woken_at(3600)
    ReprocessItem.objects.update(state=ReprocessItem.State.RUNNING, lease_expires_at=timezone.now() + timedelta(seconds=5))
    assert rescue_runs() == 0
    ReprocessItem.objects.update(lease_expires_at=timezone.now())
    assert rescue_runs() == 1
    assert run.items.get().lease_expires_at is None


def test_the_vectors_of_a_killed_worker_in_a_canceled_run_are_counted_within_one_lease(run: ReprocessRun) -> None:
    with mock.patch("reprocess.runs.worker.count_items", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        run_worker(run.pk)
    cancel_run(run.pk)
    assert (rescue_runs(), run.items.get().state) == (0, ReprocessItem.State.RUNNING)

    ReprocessItem.objects.update(lease_expires_at=timezone.now())
    for _ in range(2):
        assert rescue_runs() == 0
        item = run.items.get()
        assert (item.state, item.lease_token, item.lease_expires_at) == (ReprocessItem.State.CANCELLED, None, None)
        computed = SceneEmbedding.objects.filter(run_id=run.pk)
        assert sum(counter.done + counter.empty for counter in run.counters.all()) == computed.count() > 0
    assert item.counts["visual"] == {"done": 1, "skipped": 0, "empty": 0, "failed": 0}
