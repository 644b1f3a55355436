"""Search reads the old vectors until an owner is complete, then the new ones, and never both or another owner's."""

from collections.abc import Callable
from threading import Event, Thread
from unittest import mock

import pytest
from django.db import connection
from pytest_django import Settings

from heimdex.accounts.models import User
from heimdex.storage import get_media_storage
from reprocess.actions.cutovers import CutoverRefused, cut_over
from reprocess.models import Cutover, ReprocessRun
from reprocess.planning.scope import Scope
from reprocess.runs.worker import run_worker
from tests.library import make_user, make_video
from tests.reprocess.cutover.conftest import QUERIES, Answer, get_active_spaces, run, run_queries
from videos.models import RecordedQuery, RetiredSpace, Scene

pytestmark = pytest.mark.django_db(transaction=True)

ChangeModel = Callable[..., None]


@pytest.mark.usefixtures("packaged_models")
def test_search_reads_the_old_vectors_until_the_switch_and_the_new_ones_after_it(owner: User, change_model: ChangeModel) -> None:
    old = run_queries(owner)
    change_model()
    seen: list[list[Answer]] = []
    has_searched, done = Event(), Event()

    def keep_searching() -> None:
        while not done.is_set():
            seen.append(run_queries(owner))
            has_searched.set()
        seen.append(run_queries(owner))
        connection.close()

    searching = Thread(target=keep_searching)
    searching.start()
    try:
        has_searched.wait()
        run()
    finally:
        done.set()
        searching.join()
    new = run_queries(owner)
    assert old != new
    # Each of the three queries reads the active spaces separately, so the switch may happen between two of them.
    for place in range(len(QUERIES)):
        series = [results[place] for results in seen]
        switched = series.index(new[place])
        assert all(result == old[place] for result in series[:switched])
        assert all(result == new[place] for result in series[switched:])
    assert seen[0] == old


def test_a_cutover_is_recorded_with_its_report(owner: User, change_model: ChangeModel) -> None:
    stranger = make_user("stranger@example.org")
    make_video(stranger)
    RecordedQuery.objects.create(owner=stranger, text="secret of a stranger")
    run_queries(owner)
    before = get_active_spaces(owner)
    change_model()
    made_by = run(Scope("owner", owner_id=owner.pk))
    made = Cutover.objects.get(owner=owner)
    assert (made.state, made.run, made.before, made.after) == ("switched", made_by, before, get_active_spaces(owner))
    report = made.report
    assert report["queries"] == len(QUERIES)
    assert 0.3 < report["overlap_at_10"] <= 1.0
    assert {change["query"] for change in report["details"]} == set(RecordedQuery.objects.filter(owner=owner).values_list("pk", flat=True))
    assert {space["channel"]: (space["subjects"], space["missing"], space["failed"]) for space in report["coverage"]} == {
        "transcript": (6, 0, 0),
        "visual": (6, 0, 0),
        "summary": (6, 0, 0),
    }
    changed = {space for channel, space in before.items() if channel != "clip"}
    assert {str(space) for space in RetiredSpace.objects.filter(owner=owner).values_list("space_id", flat=True)} == changed
    assert not Cutover.objects.filter(owner=stranger).exists()


def test_when_a_worker_dies_before_the_switch_search_stays_and_the_next_worker_switches(owner: User, change_model: ChangeModel) -> None:
    old = run_queries(owner)
    change_model()
    with mock.patch("reprocess.cutover.switch.record_cutover", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        run()
    assert run_queries(owner) == old
    assert not RetiredSpace.objects.exists()
    interrupted = ReprocessRun.objects.first()
    assert interrupted is not None
    assert interrupted.state == ReprocessRun.State.RUNNING
    calls = interrupted.model_calls
    run_worker(interrupted.pk)
    interrupted.refresh_from_db()
    assert (interrupted.state, interrupted.model_calls) == (ReprocessRun.State.SUCCEEDED, calls)
    assert run_queries(owner) != old
    assert Cutover.objects.filter(state="switched").count() == 1


def test_a_cutover_below_the_minimum_overlap_is_refused_once_per_run_and_can_be_forced(
    owner: User, change_model: ChangeModel, settings: Settings
) -> None:
    settings.CUTOVER_MIN_OVERLAP = 1.0
    for place in ("harbour", "garden", "station"):
        make_video(owner, [f"{thing} near the {place}." for thing in ("A bakery", "An old oak", "Two dogs", "The tax office", "A choir")])
    run()
    old = run_queries(owner)
    before = get_active_spaces(owner)
    change_model("completely different words about nothing at all: ")
    with mock.patch("reprocess.runs.acquire.GROUP_VIDEOS", 1):
        refused_in = run()
    refusal = Cutover.objects.get()
    assert (refusal.state, refusal.run, refusal.before) == ("refused", refused_in, before)
    assert "HEIMDEX_CUTOVER_MIN_OVERLAP" in refusal.reason
    assert get_active_spaces(owner) == before
    assert run_queries(owner) == old
    with pytest.raises(CutoverRefused, match=r"less than HEIMDEX_CUTOVER_MIN_OVERLAP \(100%\)"):
        cut_over(owner.pk, force=False)
    made = cut_over(owner.pk, force=True)
    assert get_active_spaces(owner) == made.after == refusal.after
    with pytest.raises(CutoverRefused, match="already reads the latest spaces"):
        cut_over(owner.pk, force=True)


def test_without_recorded_queries_no_cutover_is_refused(owner: User, change_model: ChangeModel, settings: Settings) -> None:
    settings.CUTOVER_MIN_OVERLAP = 1.0
    change_model()
    run()
    assert Cutover.objects.get().state == "switched"


def test_failures_prevent_the_cutover_unless_they_are_tolerated(owner: User, settings: Settings) -> None:
    before = get_active_spaces(owner)
    get_media_storage().delete(Scene.objects.get(owner=owner, index=3).keyframe_key)
    settings.MODEL_BACKENDS = {**settings.MODEL_BACKENDS, "image": _build_other_image_backend()}
    run()
    assert get_active_spaces(owner) == before
    with pytest.raises(CutoverRefused, match=r"clip: 1 failed of 6 scenes.*reprocess_embeddings --scope owner"):
        cut_over(owner.pk, force=True)
    settings.CUTOVER_MAX_FAILED = 1
    run()
    assert get_active_spaces(owner)["clip"] != before["clip"]


def _build_other_image_backend() -> dict[str, object]:
    return {"BACKEND": "tests.hashing_embedder.HashingImageEmbedder", "OPTIONS": {"revision": "another"}}


def test_one_owner_can_be_cut_over_first_and_is_skipped_later(owner: User, change_model: ChangeModel) -> None:
    other = make_user("other@example.org")
    make_video(other)
    run()
    old, before = run_queries(other), get_active_spaces(other)
    change_model()
    run(Scope("owner", owner_id=owner.pk))
    assert get_active_spaces(owner) != before
    assert get_active_spaces(other) == before
    assert run_queries(other) == old
    rest = run()
    assert get_active_spaces(other) == get_active_spaces(owner)
    assert rest.counters.get(channel="transcript").skipped == 6
    assert Cutover.objects.filter(owner=owner).count() == 1


def test_a_run_without_automatic_cutover_does_not_switch(owner: User, change_model: ChangeModel) -> None:
    before = get_active_spaces(owner)
    change_model()
    run(automatic_cutover=False)
    assert get_active_spaces(owner) == before
    cut_over(owner.pk, force=False)
    assert get_active_spaces(owner) != before
