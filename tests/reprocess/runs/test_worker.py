"""A run computes exactly the stale vectors of the latest spec, and its counters add up."""

from collections.abc import Iterator
from unittest import mock
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from heimdex.backends import get_text_embedder
from heimdex.leases import LeaseLost
from heimdex.storage import get_media_storage
from reprocess.models import ReprocessItem, ReprocessRun
from reprocess.planning.scope import Scope
from reprocess.runs.acquire import acquire_group
from reprocess.runs.engine import Batch
from reprocess.runs.requests import plan_run, start_run
from reprocess.runs.rescue import rescue_runs
from reprocess.runs.vectors import replace_embeddings
from reprocess.runs.worker import _process_group, run_worker
from reprocess.spec import get_effective_spec
from reprocess.steps.scene_text import SceneTextStep
from tests.library import SAYINGS, make_user, make_video
from videos.input_hashes import refresh_input_hashes
from videos.models import ActiveSpace, Scene, SceneEmbedding

pytestmark = pytest.mark.django_db(transaction=True)

ALL = Scope("all")


def run_all(*, force: bool = False, scope: Scope = ALL) -> ReprocessRun:
    run = start_run(scope, force=force, entry_point=ReprocessRun.EntryPoint.COMMAND, requested_by=None)
    run_worker(run.pk)
    run.refresh_from_db()
    return run


def read_counters(run: ReprocessRun) -> dict[str, tuple[int, int, int, int, int]]:
    return {c.channel: (c.planned, c.done, c.skipped, c.empty, c.failed) for c in run.counters.all()}


def test_a_run_writes_one_row_per_scene_and_channel_and_the_next_run_calls_no_model() -> None:
    owner = make_user()
    make_video(owner)
    first = run_all()
    assert first.state == ReprocessRun.State.SUCCEEDED
    assert read_counters(first) == {
        "transcript": (4, 3, 0, 1, 0),
        "visual": (4, 4, 0, 0, 0),
        "summary": (4, 4, 0, 0, 0),
        "clip": (4, 4, 0, 0, 0),
        # Words are searched in PostgreSQL.
        "search_index": (0, 0, 0, 0, 0),
    }
    assert first.model_calls > 0
    assert SceneEmbedding.objects.count() == 16
    assert set(ActiveSpace.objects.filter(owner=owner).values_list("channel", flat=True)) == {"transcript", "visual", "summary", "clip"}

    calls = get_text_embedder().calls
    second = run_all()
    assert second.state == ReprocessRun.State.SUCCEEDED
    assert second.model_calls == 0
    assert get_text_embedder().calls == calls
    assert all(skipped == planned for planned, _, skipped, _, _ in read_counters(second).values())
    plan = plan_run(ALL, force=False)
    assert (plan.stale, plan.model_calls) == (0, 0)


def test_force_computes_everything_again() -> None:
    make_video(make_user())
    run_all()
    forced = run_all(force=True)
    assert read_counters(forced)["visual"] == (4, 4, 0, 0, 0)
    assert set(SceneEmbedding.objects.values_list("run_id", flat=True)) == {forced.pk}


def test_after_an_edit_only_the_transcript_is_stale() -> None:
    video = make_video(make_user())
    run_all()
    scene = video.scenes.get(index=0)
    scene.transcript = "Something entirely different is said here. " * 10
    scene.save()
    refresh_input_hashes(video)
    plan = plan_run(ALL, force=False)
    assert {c.channel: c.causes for c in plan.channels if c.causes} == {"transcript": {"input changed": 1}}
    before = SceneEmbedding.objects.get(scene=scene, space__channel="transcript").vector
    run = run_all()
    assert read_counters(run)["transcript"] == (4, 1, 3, 0, 0)
    assert SceneEmbedding.objects.get(scene=scene, space__channel="transcript").vector != before


@pytest.fixture
def new_text_step() -> Iterator[None]:
    with mock.patch.object(SceneTextStep, "code_version", SceneTextStep.code_version + 1):
        yield


def test_a_new_step_version_makes_only_its_own_channels_stale(request: pytest.FixtureRequest) -> None:
    owner = make_user()
    make_video(owner)
    run_all()
    old = {active.channel: active.space_id for active in ActiveSpace.objects.filter(owner=owner)}
    request.getfixturevalue("new_text_step")
    causes = {c.channel: c.causes for c in plan_run(ALL, force=False).channels}
    assert causes == {
        "transcript": {"step changed": 4},
        "visual": {"step changed": 4},
        "summary": {"step changed": 4},
        "clip": {},
        "search_index": {},
    }
    run = run_all()
    assert read_counters(run)["clip"] == (4, 0, 4, 0, 0)
    new = {active.channel: active.space_id for active in ActiveSpace.objects.filter(owner=owner)}
    assert new["clip"] == old["clip"]
    assert new["transcript"] != old["transcript"]
    # The old vectors are kept beside the new ones.
    assert SceneEmbedding.objects.filter(space_id=old["transcript"]).count() == 4


def test_search_keeps_the_old_spaces_until_the_owner_is_complete(request: pytest.FixtureRequest) -> None:
    owner = make_user()
    first, second = make_video(owner), make_video(owner, title="Another")
    run_all()
    old = set(ActiveSpace.objects.filter(owner=owner).values_list("space_id", flat=True))
    request.getfixturevalue("new_text_step")
    run_all(scope=Scope("video", video_id=first.pk))
    assert set(ActiveSpace.objects.filter(owner=owner).values_list("space_id", flat=True)) == old
    rest = run_all()
    # The vectors of the first run are not computed again.
    assert read_counters(rest)["transcript"] == (8, 3, 4, 1, 0)
    assert set(ActiveSpace.objects.filter(owner=owner).values_list("space_id", flat=True)) != old
    assert second.pk in set(rest.items.values_list("video_id", flat=True))


def test_a_missing_keyframe_fails_only_its_scene() -> None:
    owner = make_user()
    video = make_video(owner)
    scene = video.scenes.get(index=1)
    get_media_storage().delete(scene.keyframe_key)
    run = run_all()
    # The only video has a failure.
    assert run.state == ReprocessRun.State.FAILED
    failure = run.failures.get()
    assert (failure.step, failure.channel, failure.scene_id) == ("scene_clip", "clip", scene.pk)
    assert "keyframe cannot be read" in failure.error
    assert read_counters(run)["clip"] == (4, 3, 0, 0, 1)
    assert read_counters(run)["transcript"] == (4, 3, 0, 1, 0)


def test_equal_inputs_of_one_owner_are_computed_once() -> None:
    owner = make_user()
    for number in range(3):
        # Long enough to need no context of their neighbors.
        make_video(owner, [saying * 4 for saying in SAYINGS[:2]], title=str(number))
    inputs: list[int] = []
    embed = get_text_embedder().embed_documents

    def count_and_embed(texts: list[str]) -> object:
        inputs.append(len(texts))
        return embed(texts)

    with mock.patch.object(get_text_embedder(), "embed_documents", count_and_embed):
        run = run_all()
    # Two sayings, two visual texts and one summary, though there are 18 scene channels.
    assert sum(inputs) == 5
    assert read_counters(run)["summary"] == (6, 6, 0, 0, 0)


def test_owners_take_turns() -> None:
    many, few = make_user("many@example.org"), make_user("few@example.org")
    for number in range(3):
        make_video(many, SAYINGS[:1], title=str(number))
    make_video(few, SAYINGS[:1])
    run = start_run(ALL, force=False, entry_point="command", requested_by=None)
    assert list(run.items.order_by("turn", "id").values_list("owner_id", flat=True))[:2] == [many.pk, few.pk]


def test_the_items_of_a_dead_worker_are_finished_and_counted_once() -> None:
    video = make_video(make_user())
    run = start_run(ALL, force=True, entry_point="command", requested_by=None)
    with mock.patch("reprocess.runs.worker.count_items", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        run_worker(run.pk)
    done_before = SceneEmbedding.objects.filter(run_id=run.pk).count()
    assert done_before == 16
    ReprocessItem.objects.update(lease_expires_at=timezone.now())
    calls = ReprocessRun.objects.get(pk=run.pk).model_calls
    assert rescue_runs() == 1
    run_worker(run.pk)
    run.refresh_from_db()
    assert run.state == ReprocessRun.State.SUCCEEDED
    assert run.model_calls == calls
    assert read_counters(run)["visual"] == (4, 4, 0, 0, 0)
    assert run.items.get(video=video).attempts == 2


def test_a_worker_that_lost_its_lease_writes_nothing() -> None:
    make_video(make_user())
    run = start_run(ALL, force=False, entry_point="command", requested_by=None)

    def steal(*args: object, **kwargs: object) -> Batch:
        ReprocessItem.objects.update(lease_token=uuid4())
        return Batch("scene_text", ())

    lease, items = acquire_group(run)
    with mock.patch("reprocess.runs.engine._compute", side_effect=steal), pytest.raises(LeaseLost):
        _process_group(run, get_effective_spec(), lease, items)
    assert not SceneEmbedding.objects.filter(state=SceneEmbedding.State.EMBEDDED).exists()


def test_an_item_that_kills_three_workers_fails_and_the_others_are_finished() -> None:
    owner = make_user()
    deadly, fine = make_video(owner), make_video(owner, title="Fine")
    run = start_run(ALL, force=False, entry_point="command", requested_by=None)
    run.items.filter(video=deadly).update(attempts=3)
    run_worker(run.pk)
    run.refresh_from_db()
    assert run.state == ReprocessRun.State.PARTIAL
    assert run.failures.get().video_id == deadly.pk
    assert "died 3 times" in run.failures.get().error
    assert run.items.get(video=fine).state == ReprocessItem.State.DONE


def test_equal_requests_share_one_run() -> None:
    make_video(make_user())
    first = start_run(ALL, force=False, entry_point="command", requested_by=None)
    assert start_run(ALL, force=False, entry_point="api", requested_by=None).pk == first.pk
    assert start_run(ALL, force=True, entry_point="api", requested_by=None).pk != first.pk


def test_a_scene_deleted_during_the_computation_is_skipped() -> None:
    video = make_video(make_user())
    run = start_run(ALL, force=False, entry_point="command", requested_by=None)

    def delete_first(*args: object) -> None:
        Scene.objects.filter(video=video, index=0).delete()
        replace_embeddings(*args)  # type: ignore[arg-type]

    with mock.patch("reprocess.runs.engine.replace_embeddings", delete_first):
        run_worker(run.pk)
    run.refresh_from_db()
    assert run.state == ReprocessRun.State.SUCCEEDED
    assert read_counters(run)["visual"] == (3, 3, 0, 0, 0)


def test_a_plan_takes_a_constant_number_of_queries() -> None:
    owner = make_user()
    taken = []
    for number in range(3):
        make_video(owner, title=str(number))
        with CaptureQueriesContext(connection) as queries:
            plan_run(ALL, force=False)
        taken.append(len(queries))
    assert taken[0] == taken[1] == taken[2] <= 20


def test_a_missing_keyframe_is_read_from_an_equal_keyframe_of_another_video() -> None:
    owner = make_user()
    first, _ = make_video(owner), make_video(owner, title="The same again")
    get_media_storage().delete(first.scenes.get(index=1).keyframe_key)
    assert run_all().state == ReprocessRun.State.SUCCEEDED
