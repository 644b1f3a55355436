"""Counters add up at every end of a run: done + skipped + empty + failed + not begun = planned. Page, API and command show the same."""

import io
import json
import re
from collections.abc import Callable
from unittest import mock
from uuid import UUID

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from heimdex.backends import get_text_embedder
from reprocess.actions.runs import cancel_run, pause_run, resume_run, retry_failures
from reprocess.models import ReprocessItem, ReprocessRun
from reprocess.planning.scope import Scope
from reprocess.reports.runs import measure_progress
from reprocess.runs import state
from reprocess.runs.requests import start_run
from reprocess.runs.rescue import rescue_runs
from reprocess.runs.worker import run_worker
from tests.library import SAYINGS, make_scene, make_user, make_video
from tests.reprocess.people.makers import make_known_person
from videos.input_hashes import refresh_input_hashes
from videos.models import SceneEmbedding

pytestmark = pytest.mark.django_db(transaction=True)

CHANNELS = ("transcript", "visual", "summary", "clip")
OUTCOMES = ("done", "skipped", "empty", "failed", "not_begun")


@pytest.fixture
def forced(monkeypatch: pytest.MonkeyPatch) -> ReprocessRun:
    """Return a queued, forced run over two videos that are up to date. It has several batches."""
    monkeypatch.setattr(get_text_embedder(), "batch_size", 5)
    owner = make_user()
    for title in ("First", "Second"):
        make_video(owner, [f"{saying} {title}" * 4 for saying in SAYINGS], title=title)
    run_worker(start(force=False).pk)
    return start(force=True)


def start(*, force: bool) -> ReprocessRun:
    return start_run(Scope("all"), force=force, entry_point="command", requested_by=None)


def interrupt(run: ReprocessRun, action: Callable[[UUID], object], after: int = 1) -> None:
    """Work on a run, and act right after some of its batches were written."""
    record_usage, batches = state.record_usage, 0

    def record_and_act(*args: object) -> None:
        nonlocal batches
        record_usage(*args)  # type: ignore[arg-type]
        batches += 1
        if batches == after:
            action(run.pk)

    with mock.patch("reprocess.runs.worker.record_usage", side_effect=record_and_act):
        run_worker(run.pk)
    run.refresh_from_db()


def read(run: ReprocessRun) -> dict[str, dict[str, int]]:
    return {counter.channel: {name: getattr(counter, name) for name in ("planned", *OUTCOMES)} for counter in run.counters.all()}


def read_vectors(run: ReprocessRun) -> dict[str, dict[str, int]]:
    """Return the counters of all channels. Words are searched in PostgreSQL, so there is no document to count."""
    counts = read(run)
    assert not any(counts.pop("search_index").values())
    return counts


def check_sums(run: ReprocessRun) -> None:
    """Expect that the counters add up, and that they count the rows of the run and nothing else."""
    for channel, counts in read_vectors(run).items():
        assert counts["planned"] == sum(counts[name] for name in OUTCOMES) == 8
        rows = SceneEmbedding.objects.filter(run_id=run.pk, space__channel=channel)
        assert {name: counts[name] for name in ("done", "empty", "failed")} == {
            "done": rows.filter(state="embedded").count(),
            "empty": rows.filter(state="empty").count(),
            "failed": 0,
        }


@pytest.mark.parametrize("after", [1, 2, 3])
def test_a_forced_run_that_is_canceled_counts_what_it_has_not_begun(forced: ReprocessRun, after: int) -> None:
    interrupt(forced, cancel_run, after)
    assert forced.state == "cancelled"
    check_sums(forced)
    counts = read(forced)
    assert sum(counts[channel]["skipped"] for channel in CHANNELS) == 0
    assert 0 < sum(counts[channel]["not_begun"] for channel in CHANNELS) < 32


def test_a_run_that_was_paused_resumed_and_canceled_keeps_counts_and_share(forced: ReprocessRun) -> None:
    interrupt(forced, pause_run, 2)
    share = measure_progress(ReprocessRun.objects.get(pk=forced.pk)).percent
    assert 0 < share < 100
    check_sums(forced)
    resume_run(forced.pk)
    cancel_run(forced.pk)
    forced.refresh_from_db()
    check_sums(forced)
    assert measure_progress(forced).percent == share


def test_a_run_that_was_canceled_at_once_has_begun_nothing(forced: ReprocessRun) -> None:
    cancel_run(forced.pk)
    forced.refresh_from_db()
    check_sums(forced)
    assert {counts["not_begun"] for counts in read_vectors(forced).values()} == {8}
    assert measure_progress(forced).percent == 0


def test_what_a_killed_worker_has_computed_is_counted_in_a_run_that_is_canceled_later(forced: ReprocessRun) -> None:
    with mock.patch("reprocess.runs.worker.count_items", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        run_worker(forced.pk)
    ReprocessItem.objects.update(lease_expires_at=timezone.now())
    # The rescue ends the lease, and no other worker takes the items before the run is canceled.
    assert rescue_runs() == 1
    cancel_run(forced.pk)
    forced.refresh_from_db()
    check_sums(forced)
    assert {counts["not_begun"] for counts in read_vectors(forced).values()} == {0}


def test_fresh_targets_of_a_canceled_run_are_skipped_and_stale_ones_not_begun(forced: ReprocessRun) -> None:
    run_worker(forced.pk)
    SceneEmbedding.objects.filter(space__channel__in=("visual", "clip"), scene__video__title="First").delete()
    # As the ingest has written them.
    SceneEmbedding.objects.update(run_id=None)
    run = start(force=False)
    interrupt(run, cancel_run)
    counts = read(run)
    assert all(counts[channel]["planned"] == sum(counts[channel][name] for name in OUTCOMES) == 8 for channel in CHANNELS)
    assert (counts["visual"]["done"], counts["visual"]["skipped"]) == (4, 4)
    assert (counts["clip"]["done"], counts["clip"]["skipped"], counts["clip"]["not_begun"]) == (0, 4, 4)


def test_scenes_that_are_added_during_a_run_are_planned_as_soon_as_they_are_counted(
    forced: ReprocessRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = forced.items.order_by("turn")[0].video
    assert first
    for index in range(4, 10):
        make_scene(first, index, f"A new scene, number {index}, about a lighthouse.")
    refresh_input_hashes(first)
    # Each video is a group of its own, so that the first is counted while the run goes on.
    monkeypatch.setattr("reprocess.runs.worker.compute_full_group", lambda spec: 1)
    record_usage, planned = state.record_usage, set()

    def record_and_read(*args: object) -> None:
        record_usage(*args)  # type: ignore[arg-type]
        for counts in read_vectors(forced).values():
            assert counts["planned"] == sum(counts[name] for name in OUTCOMES)
            planned.add(counts["planned"])

    with mock.patch("reprocess.runs.worker.record_usage", side_effect=record_and_read):
        run_worker(forced.pk)
    assert planned == {8, 10}
    assert {counts["planned"] for counts in read_vectors(forced).values()} == {14}


def test_the_retried_failures_of_a_canceled_run_leave_the_rest_not_begun(forced: ReprocessRun) -> None:
    first, second = forced.items.order_by("turn")
    forced.items.filter(pk=first.pk).update(state="failed", finished_at=timezone.now())
    cancel_run(forced.pk)
    assert retry_failures(forced.pk) == 1
    run_worker(forced.pk)
    forced.refresh_from_db()
    second.refresh_from_db()
    assert (forced.state, second.state) == ("cancelled", "cancelled")
    check_sums(forced)
    assert {(counts["done"] + counts["empty"], counts["not_begun"]) for counts in read_vectors(forced).values()} == {(4, 4)}
    assert 0 < measure_progress(forced).percent < 100


@pytest.mark.usefixtures("faces_on")
def test_photos_and_people_of_a_canceled_run_are_counted_as_not_begun() -> None:
    owner = make_user()
    make_video(owner)
    make_known_person(owner)
    run_worker(start(force=False).pk)
    run = start(force=True)
    interrupt(run, cancel_run)
    counts = read(run)
    assert counts["person_photo"] == {"planned": 1, "done": 0, "skipped": 0, "empty": 0, "failed": 0, "not_begun": 1}
    assert counts["person_query"] == {"planned": 1, "done": 0, "skipped": 0, "empty": 0, "failed": 0, "not_begun": 1}


def test_api_commands_and_page_show_the_same_numbers(forced: ReprocessRun, admin_client: Client) -> None:
    interrupt(forced, cancel_run)
    expected = read(forced)
    percent = measure_progress(forced).percent
    assert 0 < percent < 100

    api = APIClient()
    api.force_authenticate(make_user("api@example.org", is_staff=True))
    answer = api.get(f"/v1/admin/reprocess-runs/{forced.pk}").json()
    assert answer["progress"] == percent
    names = ("planned", *OUTCOMES)
    assert {counter["channel"]: {name: counter[name] for name in names} for counter in answer["counters"]} == expected

    out = io.StringIO()
    call_command("reprocess_runs", "show", str(forced.pk), "--json", stdout=out)
    assert json.loads(out.getvalue())["counters"] == answer["counters"]
    out = io.StringIO()
    call_command("reprocess_runs", "show", str(forced.pk), stdout=out)
    assert f"cancelled  {percent} %" in out.getvalue()
    for channel, counts in expected.items():
        line = next(line for line in out.getvalue().splitlines() if line.split()[:1] == [channel])
        assert [int(number) for number in re.findall(r"\d+", line)] == [*(counts[name] for name in OUTCOMES), counts["planned"]]
        assert "not begun of" in line

    page = admin_client.get(f"/admin/reprocess/reprocessrun/{forced.pk}/change/").content.decode()
    assert f"{percent} %" in page
    for name in names:
        shown = [int(number) for number in re.findall(rf'class="field-{name}"[^>]*>\s*(?:<p>)?(\d+)', page)]
        assert shown == [counts[name] for counts in expected.values()]
