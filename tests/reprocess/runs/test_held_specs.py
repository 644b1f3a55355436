"""A worker leaves the runs of other specs to workers that hold them; a run that nobody can do says so and waits."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from unittest import mock

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from heimdex.errors import ModelUnavailable
from reprocess.actions.runs import cancel_run
from reprocess.models import ReprocessItem, ReprocessRun, WorkerSpec
from reprocess.planning.scope import Scope
from reprocess.runs.requests import start_run
from reprocess.runs.rescue import rescue_runs
from reprocess.runs.worker import run_worker
from reprocess.spec import get_effective_spec
from tests.library import make_user, make_video
from videos.models import SceneEmbedding

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_hold_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reprocess.runs.held_specs._HOLD_OFF_S", 0.0)


@pytest.fixture
def run() -> ReprocessRun:
    make_video(make_user(), ["A boat at sea."])
    queued = start_run(Scope("all"), force=False, entry_point="command", requested_by=None)
    OrmQ.objects.all().delete()
    return queued


@contextmanager
def another_release() -> Iterator[None]:
    """Act as a process whose spec has only the first step."""
    other = dataclasses.replace(get_effective_spec(), steps=get_effective_spec().steps[:1])
    with mock.patch("reprocess.runs.held_specs.get_effective_spec", return_value=other):
        yield


def test_a_run_that_no_worker_can_do_waits_with_a_reason(run: ReprocessRun) -> None:
    with another_release():
        rescue_runs()
        run_worker(run.pk)
        rescue_runs()
    run.refresh_from_db()
    assert (run.state, set(run.items.values_list("state", flat=True))) == (ReprocessRun.State.QUEUED, {ReprocessItem.State.QUEUED})
    assert run.error.startswith(f"No worker has the spec of this run (version {run.spec_version}, {run.spec_id[:8]})")
    assert not SceneEmbedding.objects.exists()
    assert not OrmQ.objects.exists(), "nobody could do anything with another task"

    assert rescue_runs() == 1, "a process that has the spec wakes it at once"
    run_worker(run.pk)
    run.refresh_from_db()
    assert (run.state, run.error) == (ReprocessRun.State.SUCCEEDED, "")


def test_a_run_is_handed_to_a_worker_that_has_its_spec(run: ReprocessRun) -> None:
    rescue_runs()
    with another_release():
        run_worker(run.pk)
    run.refresh_from_db()
    assert (run.state, run.error, OrmQ.objects.count()) == (ReprocessRun.State.QUEUED, "", 1)


def test_a_run_whose_last_workers_were_killed_waits_with_a_reason(run: ReprocessRun) -> None:
    run_worker(run.pk)
    rescue_runs()
    ReprocessRun.objects.update(state=ReprocessRun.State.RUNNING)
    with another_release():
        rescue_runs()
        assert not ReprocessRun.objects.get().error
        earlier = timezone.now() - timedelta(minutes=2)
        WorkerSpec.objects.filter(digest=run.spec_id).update(reported_at=earlier)
        rescue_runs()
        assert not ReprocessRun.objects.get().error, "its workers may be about to start"
        ReprocessRun.objects.update(created_at=earlier)
        ReprocessItem.objects.update(state=ReprocessItem.State.RUNNING, lease_expires_at=timezone.now() + timedelta(minutes=1))
        rescue_runs()
        assert not ReprocessRun.objects.get().error, "a worker has a lease, and is only late to report"
        ReprocessItem.objects.update(lease_expires_at=timezone.now())
        rescue_runs()
    assert ReprocessRun.objects.get().error.startswith("No worker has the spec of this run")


def test_a_run_that_waits_for_a_worker_can_be_canceled(run: ReprocessRun) -> None:
    with another_release():
        run_worker(run.pk)
    cancel_run(run.pk)
    run.refresh_from_db()
    assert (run.state, run.error) == (ReprocessRun.State.CANCELLED, "")


def test_a_process_whose_models_are_unavailable_holds_no_spec(run: ReprocessRun) -> None:
    with mock.patch("reprocess.runs.held_specs.get_effective_spec", side_effect=ModelUnavailable("no weights")):
        assert rescue_runs() == 0
    assert not WorkerSpec.objects.exists()
