"""A cutover can be rolled back at once, newer videos stay findable, and after a purge no rollback is possible."""

import io
import json
from collections.abc import Callable
from datetime import timedelta
from unittest import mock
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from heimdex.accounts.models import User
from heimdex.backends import get_text_embedder
from heimdex.embedders.sentence_transformer import SentenceTransformerEmbedder
from reprocess.actions.cutovers import UP_TO_DATE, RollbackRefused, cut_over, get_latest_cutover, purge_spaces, roll_back
from reprocess.models import Cutover, ReprocessRun
from reprocess.planning.scope import Scope
from reprocess.runs import ingest_stage
from reprocess.runs.requests import start_run
from reprocess.runs.worker import run_worker
from reprocess.steps.scene_text import SceneTextStep
from tests.library import get_lease, make_user, make_video
from tests.reprocess.cutover.conftest import find_matching_channels, get_active_spaces, run, run_queries
from videos.ingest.stage import SourceFile, StageContext
from videos.models import EmbeddingSpace, Job, RetiredSpace, Scene, SceneEmbedding, Video

pytestmark = pytest.mark.django_db(transaction=True)

ChangeModel = Callable[..., None]
NEWS = ["Astronomers observed a distant comet with a new telescope."]


def add_video(owner: User) -> Scene:
    """Add a video that the ingest has just embedded, and return its scene."""
    video = make_video(owner, NEWS, title="News")
    Video.objects.filter(pk=video.pk).update(state=Video.State.PROCESSING)
    job = Job.objects.create(video=video, owner=owner, stage="embed", position=5, lease_token=uuid4())
    ingest_stage.run(StageContext(video, get_lease(job), SourceFile(video.original_key)))
    Video.objects.filter(pk=video.pk).update(state=Video.State.INDEXED)
    return video.scenes.get()


def test_a_rollback_restores_the_earlier_results_without_a_model_call_and_lasts_until_a_manual_cutover(
    owner: User, change_model: ChangeModel
) -> None:
    old, before = run_queries(owner), get_active_spaces(owner)
    change_model()
    run()
    new, after = run_queries(owner), get_active_spaces(owner)
    with mock.patch.object(SentenceTransformerEmbedder, "embed_documents", side_effect=AssertionError):
        undone = roll_back(get_latest_cutover(owner.pk).pk, None)
    assert (undone.left_out, undone.cutover.state) == ((), "rolled back")
    assert (run_queries(owner), get_active_spaces(owner)) == (old, before)
    run()
    assert get_active_spaces(owner) == before
    cut_over(owner.pk, force=False)
    assert (run_queries(owner), get_active_spaces(owner)) == (new, after)
    with pytest.raises(RollbackRefused, match="already rolled back"):
        roll_back(Cutover.objects.filter(rolled_back_at__isnull=False).get().pk, None)


def test_after_a_rollback_a_run_with_a_third_model_cuts_over_automatically(owner: User, change_model: ChangeModel) -> None:
    before = get_active_spaces(owner)
    change_model()
    run()
    first = get_latest_cutover(owner.pk)
    roll_back(first.pk, None)
    change_model("document: ")
    run()
    assert get_active_spaces(owner) not in (before, first.after)
    with pytest.raises(RollbackRefused, match="already rolled back"):
        roll_back(first.pk, None)


def test_cutovers_are_rolled_back_in_reverse_order(owner: User, change_model: ChangeModel) -> None:
    before = get_active_spaces(owner)
    change_model()
    run()
    first = get_latest_cutover(owner.pk)
    change_model("document: ")
    run()
    with pytest.raises(RollbackRefused, match="Roll back the later cutover first"):
        roll_back(first.pk, None)
    roll_back(get_latest_cutover(owner.pk).pk, None)
    roll_back(get_latest_cutover(owner.pk).pk, None)
    assert get_active_spaces(owner) == before
    with pytest.raises(RollbackRefused, match="has no cutover"):
        get_latest_cutover(owner.pk)


@pytest.mark.usefixtures("packaged_models")
def test_a_video_added_before_the_cutover_is_found_by_meaning_before_and_after_it(owner: User, change_model: ChangeModel) -> None:
    change_model()
    scene = add_video(owner)
    assert {"transcript", "summary", "clip"} <= find_matching_channels(owner, scene)
    assert scene.embeddings.filter(space__channel="transcript").count() == 2
    before = get_active_spaces(owner)
    started = run()
    assert get_active_spaces(owner) != before
    assert started.counters.get(channel="transcript").skipped == 1
    assert {"transcript", "summary", "clip"} <= find_matching_channels(owner, scene)


def test_a_video_added_after_the_cutover_is_found_by_words_after_a_rollback_and_by_meaning_after_the_catch_up_run(
    owner: User, change_model: ChangeModel
) -> None:
    stranger = make_user("stranger@example.org")
    make_video(stranger)
    old, before = run_queries(owner), get_active_spaces(owner)
    change_model()
    run()
    theirs = get_active_spaces(stranger)
    scene = add_video(owner)
    assert scene.embeddings.filter(space__channel="transcript").count() == 1
    undone = roll_back(get_latest_cutover(owner.pk).pk, None)
    # The image model did not change.
    assert find_matching_channels(owner, scene) - {"clip"} == {"lexical"}
    assert undone.catch_up is not None
    assert (undone.catch_up.entry_point, undone.catch_up.state) == (ReprocessRun.EntryPoint.ROLLBACK, ReprocessRun.State.QUEUED)
    run_worker(undone.catch_up.pk)
    undone.catch_up.refresh_from_db()
    assert undone.catch_up.state == ReprocessRun.State.SUCCEEDED
    transcript = undone.catch_up.counters.get(channel="transcript")
    assert (transcript.done, transcript.skipped + transcript.empty) == (1, 6)
    assert {"lexical", "transcript", "summary"} <= find_matching_channels(owner, scene)
    assert get_active_spaces(owner) == before
    assert get_active_spaces(stranger) == theirs
    scene.video.delete()
    assert run_queries(owner) == old


def test_a_rollback_without_newer_videos_starts_no_run(owner: User, change_model: ChangeModel) -> None:
    change_model()
    run()
    runs = ReprocessRun.objects.count()
    assert roll_back(get_latest_cutover(owner.pk).pk, None).catch_up is None
    assert ReprocessRun.objects.count() == runs


def test_a_rollback_after_a_step_change_warns_that_new_scenes_are_found_by_words_only(owner: User) -> None:
    old = run_queries(owner)
    with mock.patch.object(SceneTextStep, "code_version", SceneTextStep.code_version + 1):
        run()
        scene = add_video(owner)
        undone = roll_back(get_latest_cutover(owner.pk).pk, None)
        assert undone.catch_up is None
        assert len(undone.left_out) == 3
        assert "the step that filled it has changed" in undone.left_out[0]
        assert find_matching_channels(owner, scene) - {"clip"} == {"lexical"}
        scene.video.delete()
        assert run_queries(owner) == old


def test_a_catch_up_run_waits_and_gives_the_reason_when_its_model_no_longer_exists(owner: User, change_model: ChangeModel) -> None:
    change_model()
    run()
    add_video(owner)
    catch_up = roll_back(get_latest_cutover(owner.pk).pk, None).catch_up
    assert catch_up is not None
    for space in EmbeddingSpace.objects.exclude(embedder__revision__contains="passage"):
        space.embedder["class"] = "no.such.Embedder"
        space.save()
    run_worker(catch_up.pk)
    catch_up.refresh_from_db()
    # A worker of another release may have the model.
    assert catch_up.state == ReprocessRun.State.QUEUED
    assert "so the run waits for one" in catch_up.error


def test_a_purge_deletes_the_rows_of_one_owner_and_the_space_with_the_last_owner(owner: User, change_model: ChangeModel) -> None:
    other = make_user("other@example.org")
    make_video(other)
    run()
    left = EmbeddingSpace.objects.get(pk=get_active_spaces(owner)["transcript"])
    change_model()
    run(Scope("owner", owner_id=owner.pk))
    kept = run_queries(owner), run_queries(other)

    assert purge_spaces(timedelta(days=7), dry_run=False) == []
    RetiredSpace.objects.update(retired_at=timezone.now() - timedelta(days=8))
    planned = purge_spaces(timedelta(days=7), dry_run=True)
    assert {(purged.owner, purged.channel, purged.rows, purged.space_removed) for purged in planned} == {
        (owner.email, channel, 6, False) for channel in ("transcript", "visual", "summary")
    }
    assert left.embeddings.filter(owner=owner).count() == 6
    # The purge is killed in the middle, and continued.
    dies = mock.patch.object(RetiredSpace, "delete", side_effect=KeyboardInterrupt)
    with mock.patch("reprocess.cutover.purge._BATCH", 2), dies, pytest.raises(KeyboardInterrupt):
        purge_spaces(timedelta(days=7), dry_run=False)
    with pytest.raises(RollbackRefused, match="have been purged"):
        roll_back(get_latest_cutover(owner.pk).pk, None)
    assert len(purge_spaces(timedelta(days=7), dry_run=False)) == 3
    assert (left.embeddings.filter(owner=owner).count(), left.embeddings.filter(owner=other).count()) == (0, 4)
    assert (run_queries(owner), run_queries(other)) == kept

    run()
    RetiredSpace.objects.update(retired_at=timezone.now() - timedelta(days=8))
    out = io.StringIO()
    call_command("purge_spaces", "--days", "7", "--json", stdout=out)
    assert {purged["space_removed"] for purged in json.loads(out.getvalue())["purged"]} == {True}
    assert not EmbeddingSpace.objects.filter(pk=left.pk).exists()
    assert not SceneEmbedding.objects.filter(space_id=left.pk).exists()


def test_a_purge_keeps_the_latest_spaces_of_an_owner_who_was_rolled_back(owner: User, change_model: ChangeModel) -> None:
    change_model()
    run()
    roll_back(get_latest_cutover(owner.pk).pk, None)
    RetiredSpace.objects.update(retired_at=timezone.now() - timedelta(days=8))
    assert purge_spaces(timedelta(days=7), dry_run=False) == []
    calls = get_text_embedder().calls
    cut_over(owner.pk, force=False)
    assert get_text_embedder().calls == calls


def test_the_commands_compare_cut_over_and_roll_back(owner: User, change_model: ChangeModel) -> None:
    def command(*args: str) -> str:
        out = io.StringIO()
        call_command(*args, stdout=out)
        return out.getvalue()

    before = get_active_spaces(owner)
    run_queries(owner)
    for mode in ((), ("--dry-run",)):
        assert command("cutover", "--owner", owner.email, *mode) == f"{owner.email}: {UP_TO_DATE}\n"
        answer = json.loads(command("cutover", "--owner", owner.email, "--json", *mode))
        assert answer == {"owner": owner.email, "state": "current", "cutover_id": None, "report": None}
    with pytest.raises(CommandError, match="has no cutover"):
        command("rollback", "--owner", owner.email)
    change_model()
    with pytest.raises(CommandError, match=r"transcript: 6 missing of 6 scenes"):
        command("cutover", "--owner", owner.email)
    run(automatic_cutover=False)
    compared = command("cutover", "--owner", owner.email, "--dry-run")
    assert "3 recorded queries: " in compared
    assert get_active_spaces(owner) == before
    assert "switched (cutover " in command("cutover", "--owner", owner.email)
    assert get_active_spaces(owner) != before
    assert json.loads(command("rollback", "--owner", owner.email, "--json"))["left_out"] == []
    assert get_active_spaces(owner) == before
    with pytest.raises(CommandError) as error:
        command("rollback", "--owner", "nobody@example.org")
    assert error.value.returncode == 2
    assert "No space was retired" in command("purge_spaces")


def test_a_run_of_the_latest_spec_and_a_catch_up_run_are_separate(owner: User, change_model: ChangeModel) -> None:
    change_model()
    run()
    add_video(owner)
    latest = start_run(Scope("owner", owner_id=owner.pk), force=False, entry_point="command", requested_by=None)
    catch_up = roll_back(get_latest_cutover(owner.pk).pk, None).catch_up
    assert catch_up is not None
    assert catch_up.pk != latest.pk
    for unfinished in (latest, catch_up):
        run_worker(unfinished.pk)
        unfinished.refresh_from_db()
        assert unfinished.state == ReprocessRun.State.SUCCEEDED
