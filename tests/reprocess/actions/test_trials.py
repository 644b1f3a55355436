"""A trial computes a sample beside the old vectors, and says what the full run would gain, cost and take."""

from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest
from django.conf import settings as django_settings
from django.test import override_settings
from pytest_django import Settings

from heimdex.accounts.models import User
from reprocess.actions.refresh import refresh_video
from reprocess.actions.trials import TrialNotNeeded
from reprocess.planning.scope import Scope
from reprocess.reports.search_index import get_search_index_status
from reprocess.runs.requests import plan_run
from tests.hashing_embedder import HashingTextEmbedder
from tests.library import make_user, make_video
from tests.reprocess.cutover.conftest import get_active_spaces, run, run_queries
from tests.reprocess.trials import get_report, judge_all, start, try_change, work
from videos.actions.judgments import judge_scene
from videos.evaluation.judgments import read_judgments
from videos.evaluation.references import resolve_queries
from videos.models import Scene, SceneEmbedding, Video
from videos.search.recorded_queries import record_query

pytestmark = pytest.mark.django_db

HASHING = "tests.hashing_embedder.HashingTextEmbedder"


def test_a_trial_computes_only_its_sample_and_changes_no_search(owner: User, change_model: Callable[[str], None]) -> None:
    before, answers, rows = get_active_spaces(owner), run_queries(owner), SceneEmbedding.objects.count()
    change_model("passage: ")
    report = try_change()
    assert (report["sampled"], report["stale"], report["computed"], report["model_calls"]) == (3, 6, 3, 1)
    # Three channels of texts. The image model has not changed.
    assert SceneEmbedding.objects.count() == rows + 9
    assert (get_active_spaces(owner), run_queries(owner)) == (before, answers)


def test_a_repeated_trial_and_the_run_compute_nothing_twice(owner: User, change_model: Callable[[str], None]) -> None:
    change_model("passage: ")
    first = try_change()
    again = try_change()
    assert (again["sampled"], again["stale"], again["computed"], again["model_calls"]) == (3, 6, 0, 0)
    assert [result["sampled"] for result in again["owners"]] == [result["sampled"] for result in first["owners"]]
    assert first["full_run"]["vectors"] == again["full_run"]["vectors"] == plan_run(Scope("all"), force=False).stale == 9
    assert run().counters.get(channel="transcript").skipped == 3
    with pytest.raises(TrialNotNeeded, match="Nothing is stale"):
        start()


def test_a_larger_trial_keeps_what_a_smaller_one_has_computed(owner: User, change_model: Callable[[str], None]) -> None:
    change_model("passage: ")
    try_change(size=2)
    report = try_change(size=6)
    assert (report["sampled"], report["computed"]) == (6, 4)


def test_a_better_model_is_recognized_by_the_owners_judgments_and_in_each_channel(owner: User, learn_synonyms: None) -> None:
    judge_all(owner)
    [result] = try_change(size=6)["owners"]
    judged = result["change"]["judged"]
    assert (result["judged_scenes"], result["judged_scenes_sampled"]) == (5, 5)
    assert (judged["queries"], judged["before"], judged["after"], judged["verdict"]) == (6, 0.0, 1.0, "better")
    assert judged["channels"]["transcript"]["verdict"] == "better"
    # The summary of a video is the same for all its scenes.
    assert judged["channels"]["summary"]["after"] < 1.0


def test_judged_scenes_come_first_and_few_judgments_give_no_verdict(owner: User, learn_synonyms: None) -> None:
    judge_all(owner)
    [result] = try_change(size=2)["owners"]
    assert (result["sampled"], result["judged_scenes"], result["judged_scenes_sampled"]) == (2, 5, 2)
    assert result["change"]["judged"]["verdict"] == "too few to tell"
    assert any("a verdict needs 6: no verdict" in sentence for sentence in result["change"]["left_out"])


def test_without_judgments_only_the_change_of_recorded_queries_is_known(owner: User, learn_synonyms: None) -> None:
    record_query(owner.pk, "vessel")
    [result] = try_change(size=4)["owners"]
    assert (result["change"]["judged"], result["change"]["compared"]["queries"]) == (None, 1)
    no_judgments, few_scenes = result["change"]["left_out"]
    assert no_judgments.startswith("No judged query has a relevant scene in the sample, so there is no verdict.")
    assert few_scenes.startswith("The sample has only 4 scenes")


def test_without_any_query_nothing_is_compared(owner: User, learn_synonyms: None) -> None:
    [result] = try_change(size=4)["owners"]
    assert (result["change"]["judged"], result["change"]["compared"]) == (None, None)
    assert [sentence.split(",")[0] for sentence in result["change"]["left_out"]] == [
        "No judged query has a relevant scene in the sample",
        "This owner has neither saved nor recent queries",
    ]


def test_a_model_with_the_same_vectors_changes_nothing_although_old_neighbors_are_complete(owner: User, settings: Settings) -> None:
    settings.MODEL_BACKENDS = {
        **settings.MODEL_BACKENDS,
        "text": {"BACKEND": "tests.reprocess.cutover.synonyms.RenamedEmbedder", "OPTIONS": {"similarity_floor": 0.1}},
    }
    for scene in Scene.objects.exclude(transcript=""):
        judge_scene(owner, scene.transcript, scene.pk, fits=True)
        record_query(owner.pk, scene.transcript)
    with mock.patch.object(HashingTextEmbedder, "rate_similarity", lambda self, similarity: similarity):
        [result] = try_change(size=4)["owners"]
    judged, compared = result["change"]["judged"], result["change"]["compared"]
    assert judged["queries"] == 4
    assert {judged["difference"]["mean"], *(alone["difference"]["mean"] for alone in judged["channels"].values())} == {0.0}
    assert (compared["overlap_at_10"], compared["mean_rank_move"]) == (1.0, 0.0)


def test_judged_queries_of_a_file_count_instead_of_the_owners(owner: User, learn_synonyms: None, judgments: Path) -> None:
    judged = resolve_queries(judgments, owner.pk, read_judgments(judgments))
    scope = Scope("owner", owner_id=owner.pk)
    trial = start(scope, 6, judged=judged)
    # Another request is another trial.
    assert start(scope, 6) != trial
    [result] = get_report(work(trial))["owners"]
    assert (result["judged_scenes"], result["change"]["judged"]["verdict"]) == (5, "better")


def test_owners_are_sampled_and_judged_by_themselves(owner: User, learn_synonyms: None) -> None:
    other = make_user("other@example.org")
    make_video(other, ["A vessel in the fog.", "Nothing to see."], title="Foreign")
    run_for_old_model(other)
    judge_all(owner)
    results = {result["owner_id"]: result for result in try_change(size=4)["owners"]}
    assert (results[str(owner.pk)]["sampled"], results[str(other.pk)]["sampled"]) == (4, 2)
    assert results[str(owner.pk)]["change"]["judged"]["queries"] > 0
    assert results[str(other.pk)]["change"]["judged"] is None


def test_a_trial_of_one_video_or_owner_computes_nothing_else(owner: User, change_model: Callable[[str], None]) -> None:
    change_model("passage: ")
    video = Video.objects.get(title="Another")
    [result] = try_change(Scope("video", video_id=video.pk), 10)["owners"]
    assert (result["owner_id"], result["sampled"], result["stale"]) == (str(owner.pk), 2, 2)
    assert plan_run(Scope("video", video_id=video.pk), force=False).stale == 0
    assert plan_run(Scope("all"), force=False).stale == 12


def test_vectors_that_search_reads_are_left_to_the_run(owner: User, change_model: Callable[[str], None]) -> None:
    late = make_video(owner, ["A late film about whales."], title="Late")
    with pytest.raises(TrialNotNeeded, match="in spaces that search already reads"):
        start()
    change_model("passage: ")
    assert try_change(Scope("video", video_id=late.pk))["computed"] == 1
    # The image model has not changed, so search would find its vector at once.
    assert not SceneEmbedding.objects.filter(scene__video=late, space__channel="clip").exists()


def test_only_the_owners_of_the_plan_are_sampled_and_the_report_names_the_rest(owner: User, learn_synonyms: None) -> None:
    other = make_user("other@example.org")
    make_video(other, ["A vessel in the fog."], title="Foreign")
    run_for_old_model(other)
    with mock.patch("reprocess.planning.plan.MAX_OWNERS", 1):
        report = try_change()
    assert [result["owner_id"] for result in report["owners"]] == [str(owner.pk)]
    assert report["left_out"] == ["1 more owners have stale vectors. The trial covers the 1 with the most."]


def test_nothing_stale_is_nothing_to_try(owner: User) -> None:
    with pytest.raises(TrialNotNeeded, match="Nothing is stale"):
        start()


def test_a_run_starts_beside_an_unfinished_trial_and_the_owner_sees_only_the_run(owner: User, change_model: Callable[[str], None]) -> None:
    change_model("passage: ")
    trial = start()
    assert start() == trial
    video = Video.objects.get(title="A film")
    assert get_search_index_status(owner, video).state == "succeeded"
    full = refresh_video(owner, video.pk, force=False)
    assert (full != trial, full.is_trial) == (True, False)
    assert get_search_index_status(owner, video).state == "queued"


def run_for_old_model(other: User) -> None:
    """Compute the vectors of an owner with the model that the settings had before, so that search reads them."""
    with override_settings(MODEL_BACKENDS={**django_settings.MODEL_BACKENDS, "text": {"BACKEND": HASHING, "OPTIONS": {}}}):
        run(Scope("owner", owner_id=other.pk))
