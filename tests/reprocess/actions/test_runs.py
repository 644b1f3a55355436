"""A run can be paused, resumed, canceled and limited in cost, and its failures retried. Its counters always add up."""

import io
import json
from decimal import Decimal
from unittest import mock

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from heimdex.backends import get_text_embedder
from heimdex.errors import ModelUnavailable, WrongState
from heimdex.storage import get_media_storage
from reprocess.actions.runs import cancel_run, pause_run, resume_run, retry_failures
from reprocess.models import ReprocessItem, ReprocessRun
from reprocess.planning.scope import Scope
from reprocess.reports.runs import measure_progress
from reprocess.runs import state
from reprocess.runs.requests import plan_run, start_run
from reprocess.runs.worker import run_worker
from reprocess.steps.scene_clip import SceneClipStep
from tests.library import SAYINGS, make_image, make_user, make_video
from videos.models import Scene, SceneEmbedding, SceneInput

pytestmark = pytest.mark.django_db(transaction=True)

ALL = Scope("all")


@pytest.fixture
def run() -> ReprocessRun:
    """Return a queued run over two videos of one owner."""
    owner = make_user()
    for title in ("one", "two"):
        make_video(owner, [f"{saying} {title}" * 4 for saying in SAYINGS], title=title)
    return start_run(ALL, force=True, entry_point="command", requested_by=None)


def interrupt_run(run: ReprocessRun, action: object) -> None:
    """Work on a run, and apply an action to it right after its first batch was written."""
    record_usage = state.record_usage

    def after_first(*args: object) -> None:
        record_usage(*args)  # type: ignore[arg-type]
        action(run.pk)  # type: ignore[operator]

    with mock.patch("reprocess.runs.worker.record_usage", side_effect=after_first):
        run_worker(run.pk)
    run.refresh_from_db()


def has_consistent_counters(run: ReprocessRun) -> bool:
    return all(c.planned == c.done + c.skipped + c.empty + c.failed for c in run.counters.all())


def test_progress_increases_with_every_batch(run: ReprocessRun) -> None:
    assert measure_progress(run).percent == 0
    interrupt_run(run, pause_run)
    progress = measure_progress(ReprocessRun.objects.get(pk=run.pk))
    assert 0 < sum(counter.counted for counter in run.counters.all()) < 32
    assert 0 < progress.percent < 100
    assert progress.rate is not None
    assert progress.eta_s is not None
    resume_run(run.pk)
    run_worker(run.pk)
    run.refresh_from_db()
    assert measure_progress(run).percent == 100


def test_a_plan_estimates_the_time_from_runs_with_the_same_step_and_model_under_another_spec(run: ReprocessRun) -> None:
    assert plan_run(ALL, force=True).time is None
    run_worker(run.pk)
    measured = plan_run(ALL, force=True)
    assert measured.time is not None
    assert 0 < measured.time.low_s <= measured.time.high_s
    with mock.patch.object(SceneClipStep, "code_version", SceneClipStep.code_version + 1):
        changed = plan_run(ALL, force=False)
        # The changed step was never measured. Without stale vectors of it, the time is known.
        assert (changed.spec_digest != measured.spec_digest, changed.time) == (True, None)
        SceneInput.objects.filter(channel="clip").update(hash="")
        SceneInput.objects.filter(channel="transcript").update(hash="changed")
        SceneEmbedding.objects.filter(space__channel="clip").delete()
        assert plan_run(ALL, force=False).time is not None


def test_a_paused_run_stops_after_a_batch_and_resumes_there(run: ReprocessRun) -> None:
    interrupt_run(run, pause_run)
    assert run.state == ReprocessRun.State.PAUSED
    assert "operator" in run.error
    done = SceneEmbedding.objects.count()
    assert 0 < done < 32
    assert set(run.items.values_list("state", "attempts", "lease_token")) == {("queued", 0, None)}
    run_worker(run.pk)
    assert SceneEmbedding.objects.count() == done, "a paused run is not worked on"
    calls = ReprocessRun.objects.get(pk=run.pk).model_calls
    resume_run(run.pk)
    run_worker(run.pk)
    run.refresh_from_db()
    assert run.state == ReprocessRun.State.SUCCEEDED
    assert has_consistent_counters(run)
    assert sum(c.done for c in run.counters.all()) + sum(c.empty for c in run.counters.all()) == 32
    fresh = start_run(ALL, force=True, entry_point="command", requested_by=None)
    run_worker(fresh.pk)
    assert ReprocessRun.objects.get(pk=fresh.pk).model_calls >= run.model_calls - calls


def test_a_canceled_run_keeps_its_vectors_and_counts_them(run: ReprocessRun) -> None:
    interrupt_run(run, cancel_run)
    assert run.state == ReprocessRun.State.CANCELLED
    assert set(run.items.values_list("state", flat=True)) == {ReprocessItem.State.CANCELLED}
    computed = SceneEmbedding.objects.filter(run_id=run.pk).count()
    assert computed > 0
    assert sum(c.done + c.empty for c in run.counters.all()) == computed
    with pytest.raises(WrongState):
        cancel_run(run.pk)
    # A new run plans the rest.
    assert plan_run(ALL, force=False).stale == 32 - computed


def test_a_run_pauses_at_its_cost_limit_and_resumes_with_a_higher_limit() -> None:
    make_video(make_user())
    with override_settings(MODEL_PRICES={get_text_embedder().identity.model: Decimal("1000000")}, MAX_RUN_COST=Decimal("5")):
        limited = start_run(ALL, force=False, entry_point="command", requested_by=None, max_cost=Decimal("100"))
        assert limited.max_cost == Decimal("5"), "the installation's limit holds for every run"
        with mock.patch.object(type(get_text_embedder()), "tokens", property(lambda self: 10 * self.calls)):
            run_worker(limited.pk)
            limited.refresh_from_db()
            assert limited.state == ReprocessRun.State.PAUSED
            assert "cost 10.00 and its limit is 5.00" in limited.error
            with pytest.raises(WrongState, match="higher limit"):
                resume_run(limited.pk)
            resume_run(limited.pk, max_cost=Decimal("1000"))
            run_worker(limited.pk)
        limited.refresh_from_db()
        assert limited.state == ReprocessRun.State.SUCCEEDED
        assert limited.cost == limited.tokens > 0


def test_an_unavailable_model_pauses_the_run_with_the_reason(run: ReprocessRun) -> None:
    with mock.patch.object(get_text_embedder(), "embed_documents", side_effect=ModelUnavailable("No key: set HEIMDEX_OPENAI_API_KEY.")):
        run_worker(run.pk)
    run.refresh_from_db()
    assert run.state == ReprocessRun.State.PAUSED
    assert "HEIMDEX_OPENAI_API_KEY" in run.error
    assert set(run.items.values_list("state", "attempts")) == {("queued", 0)}
    assert not run.failures.exists()


def test_a_retry_computes_only_the_failures(run: ReprocessRun) -> None:
    # Both videos have the same keyframes, and one copy would be enough.
    without_keyframe = list(Scene.objects.filter(index=1))
    for scene in without_keyframe:
        get_media_storage().delete(scene.keyframe_key)
    run_worker(run.pk)
    run.refresh_from_db()
    assert (run.state, run.failures.count()) == (ReprocessRun.State.FAILED, 2)
    rest = SceneEmbedding.objects.exclude(scene__in=without_keyframe, space__channel="clip")
    others = set(rest.values_list("pk", "computed_at"))
    for scene in without_keyframe:
        get_media_storage().save(scene.keyframe_key, make_image(1), "image/jpeg")
    assert retry_failures(run.pk) == 2
    run_worker(run.pk)
    run.refresh_from_db()
    assert (run.state, run.failures.count()) == (ReprocessRun.State.SUCCEEDED, 0)
    assert has_consistent_counters(run)
    assert {c.channel: c.planned for c in run.counters.exclude(channel="search_index")} == dict.fromkeys(
        ("transcript", "visual", "summary", "clip"), 8
    )
    assert set(rest.all().values_list("pk", "computed_at")) == others
    with pytest.raises(WrongState, match="Nothing failed"):
        retry_failures(run.pk)


def test_a_plan_estimates_the_time_from_earlier_runs(run: ReprocessRun) -> None:
    assert plan_run(ALL, force=True).time is None
    run_worker(run.pk)
    measured = plan_run(ALL, force=True).time
    assert measured is not None
    assert 0 < measured.low_s <= measured.high_s
    nothing = plan_run(ALL, force=False).time
    assert nothing is not None
    assert nothing.high_s == 0


def test_api_command_and_admin_control_a_run_in_the_same_way(run: ReprocessRun, admin_client: Client) -> None:
    api = APIClient()
    api.force_authenticate(make_user("admin2@example.org", is_staff=True))
    url = f"/v1/admin/reprocess-runs/{run.pk}"
    assert api.get(url).json()["actions"] == ["pause", "cancel"]
    assert api.post(f"{url}/pause").json()["state"] == "paused"
    assert api.post(f"{url}/pause").status_code == 409
    out = io.StringIO()
    call_command("reprocess_runs", "resume", str(run.pk), "--json", stdout=out)
    assert json.loads(out.getvalue())["state"] == "queued"
    page = f"/admin/reprocess/reprocessrun/{run.pk}"
    assert "Pause</button>" in admin_client.get(f"{page}/change/").content.decode()
    cancel = f"/admin/reprocess/reprocessrun/control/{run.pk}/cancel/"
    assert admin_client.get(cancel).status_code == 405
    assert "Run canceled. The vectors it has computed are kept." in admin_client.post(cancel, follow=True).content.decode()
    with pytest.raises(CommandError, match="has not ended can be canceled"):
        call_command("reprocess_runs", "cancel", str(run.pk))
    out = io.StringIO()
    call_command("reprocess_runs", "list", stdout=out)
    assert f"{run.pk}  cancelled" in out.getvalue()
    with pytest.raises(CommandError) as error:
        call_command("reprocess_runs", "show")
    assert error.value.returncode == 2
    user = APIClient()
    user.force_authenticate(make_user("user@example.org"))
    assert user.post(f"{url}/cancel").status_code == 403


def test_listing_runs_takes_a_constant_number_of_queries(run: ReprocessRun) -> None:
    api = APIClient()
    api.force_authenticate(make_user("admin2@example.org", is_staff=True))

    def count_queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            api.get("/v1/admin/reprocess-runs")
        return len(captured)

    count = count_queries()
    cancel_run(run.pk)
    start_run(ALL, force=True, entry_point="command", requested_by=None)
    assert count_queries() == count
