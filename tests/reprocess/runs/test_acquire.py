"""Short videos are acquired together, long videos alone, and items with an earlier attempt one by one."""

import pytest
from django_q.models import OrmQ

from reprocess.models import ReprocessRun
from reprocess.planning.scope import Scope
from reprocess.runs.acquire import acquire_group, count_fitting
from reprocess.runs.requests import start_run
from reprocess.runs.worker import run_worker
from tests.library import make_user, make_video

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("sizes", "number"),
    [
        ([], 0),
        ([3], 1),
        ([5, 5, 1], 2),
        ([900], 1),
        ([900, 1], 1),
        ([1, 900], 1),
        ([0, 0, 10, 0, 1], 4),
    ],
)
def test_the_first_sizes_are_counted_until_they_exceed_the_limit(sizes: list[int], number: int) -> None:
    assert count_fitting(sizes, 10) == number


def start_run_over(*numbers_of_scenes: int) -> ReprocessRun:
    owner = make_user()
    for number in numbers_of_scenes:
        make_video(owner, ["A word."] * number)
    return start_run(Scope("all"), force=False, entry_point=ReprocessRun.EntryPoint.COMMAND, requested_by=None)


def acquire(run: ReprocessRun) -> list[int]:
    return [item.video.scenes.count() for item in acquire_group(run)[1]]


def test_videos_are_acquired_until_their_scenes_add_up_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reprocess.runs.acquire.GROUP_SCENES", 4)
    run = start_run_over(1, 2, 3, 6, 1)
    assert [acquire(run) for _ in range(5)] == [[1, 2], [3], [6], [1], []]


def test_an_item_with_an_earlier_attempt_is_acquired_alone() -> None:
    run = start_run_over(1, 2, 3)
    run.items.filter(turn__lt=2).update(attempts=1)
    assert [acquire(run) for _ in range(4)] == [[3], [1], [2], []]


def test_a_worker_that_leaves_items_enqueues_the_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    run = start_run_over(1, 1, 1)
    OrmQ.objects.all().delete()
    monkeypatch.setattr("reprocess.runs.acquire.GROUP_SCENES", 1)
    run_worker(run.pk)
    assert OrmQ.objects.count() == 1
    run.refresh_from_db()
    assert run.state == ReprocessRun.State.SUCCEEDED
    OrmQ.objects.all().delete()
    monkeypatch.undo()
    run_worker(start_run(Scope("all"), force=True, entry_point=ReprocessRun.EntryPoint.COMMAND, requested_by=None).pk)
    # Only the task that start_run has enqueued.
    assert OrmQ.objects.count() == 1
