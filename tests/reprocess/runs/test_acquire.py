"""Short videos are acquired together, long videos alone, and items with an earlier attempt one by one."""

import pytest
from django_q.models import OrmQ

from heimdex.backends import get_image_embedder, get_text_embedder
from reprocess.models import ReprocessRun
from reprocess.planning.scope import Scope
from reprocess.runs.acquire import GROUP_SCENES, acquire_group, choose_group_size, compute_full_group, count_fitting
from reprocess.runs.requests import start_run
from reprocess.runs.worker import run_worker
from reprocess.spec import get_effective_spec
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


@pytest.mark.parametrize(
    ("scenes", "videos_left", "smallest", "number"),
    [
        ([25] * 16, 16, 8, 50),
        ([25], 1, 8, 8),
        ([25], 1, 64, 64),
        ([50] * 64, 512, 8, GROUP_SCENES),
        ([6] * 64, 512, 64, 6 * 64),
        ([40] * 40, 40, 2000, GROUP_SCENES),
        ([], 0, 8, 8),
    ],
)
def test_a_group_is_an_eighth_of_what_is_left_but_fills_a_batch(scenes: list[int], videos_left: int, smallest: int, number: int) -> None:
    assert choose_group_size(scenes, videos_left, smallest) == number


def test_a_full_group_fills_the_largest_batch_of_the_models() -> None:
    # Of the three texts of a scene, a video shares one.
    assert compute_full_group(get_effective_spec()) == max(get_text_embedder().preferred_batch_size // 2, get_image_embedder().batch_size)


def test_a_run_over_400_scenes_leaves_work_for_four_workers() -> None:
    run = start_run_over(*[25] * 16)
    groups = []
    while group := acquire_group(run, compute_full_group(get_effective_spec()))[1]:
        groups.append(sum(item.video.scenes.count() for item in group))
    assert sum(groups) == 400
    assert len(groups) >= 8
    assert max(groups) <= 50


def start_run_over(*numbers_of_scenes: int) -> ReprocessRun:
    owner = make_user()
    for number in numbers_of_scenes:
        make_video(owner, ["A word."] * number)
    return start_run(Scope("all"), force=False, entry_point=ReprocessRun.EntryPoint.COMMAND, requested_by=None)


def acquire(run: ReprocessRun) -> list[int]:
    return [item.video.scenes.count() for item in acquire_group(run, 512)[1]]


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
