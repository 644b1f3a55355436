"""Owners refresh the search index of their own videos, and see nothing else."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest
from django.db.models import F
from pytest_django import Settings
from rest_framework.test import APIClient

from heimdex.accounts.models import RateLimit, User
from heimdex.backends import get_text_embedder
from heimdex.storage import get_media_storage
from reprocess.models import ReprocessItem, ReprocessRun
from reprocess.planning.scope import Scope
from reprocess.runs import state
from reprocess.runs.requests import start_run
from reprocess.tasks import work_run
from tests.library import make_user, make_video
from videos.models import SceneEmbedding, Video

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def owner() -> User:
    return make_user()


@pytest.fixture
def video(owner: User) -> Video:
    return make_video(owner)


@pytest.fixture
def api(owner: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(owner)
    return client


@pytest.fixture
def url(video: Video) -> str:
    return f"/v1/videos/{video.pk}/reprocess"


def start_full_run(requested_by: User | None = None) -> ReprocessRun:
    return start_run(Scope("all"), force=False, entry_point="api", requested_by=requested_by)


def test_an_owner_can_refresh_a_video_and_follow_the_progress(api: APIClient, owner: User, video: Video, url: str) -> None:
    assert api.get(url).json() == {
        "state": "none",
        "message": "16 of 16 parts of this video's search index are out of date.",
        "progress": 0,
        "switch": "",
        "steps": [
            {"step": step, "channel": channel, "scenes": 4, "current": 0, "failed": 0}
            for step, channel in (("scene_text", "transcript"), ("scene_text", "visual"), ("scene_text", "summary"), ("scene_clip", "clip"))
        ],
        "failures": [],
        "started_by_you": False,
        "can_cancel": False,
        "finished_at": None,
    }
    answer = api.post(url)
    assert answer.status_code == 202
    assert (answer.json()["state"], answer.json()["message"]) == ("queued", "Waiting for a worker.")
    assert (answer.json()["started_by_you"], answer.json()["can_cancel"]) == (True, True)
    run = ReprocessRun.objects.get()
    assert (run.entry_point, run.requested_by, run.scope, run.video) == ("owner", owner, "video", video)

    work_run(str(run.pk))
    shown = api.get(url).json()
    assert (shown["state"], shown["progress"], shown["message"]) == ("succeeded", 100, "The search index of this video is up to date.")
    assert [step["current"] for step in shown["steps"]] == [4, 4, 4, 4]
    assert shown["finished_at"]

    # With force, everything counts again from zero.
    forced = api.post(url, {"force": True}).json()
    assert (forced["state"], forced["progress"]) == ("queued", 0)
    work_run(str(ReprocessRun.objects.get(force=True).pk))
    assert api.get(url).json()["progress"] == 100
    assert set(SceneEmbedding.objects.values_list("run_id", flat=True)) == {ReprocessRun.objects.get(force=True).pk}


def test_failures_are_named_with_their_reasons(api: APIClient, video: Video, url: str) -> None:
    scene = video.scenes.get(index=2)
    get_media_storage().delete(scene.keyframe_key)
    api.post(url)
    work_run(str(ReprocessRun.objects.get().pk))
    shown = api.get(url).json()
    assert (shown["state"], shown["message"]) == ("failed", "1 of 16 parts could not be updated. Search finds the rest.")
    assert shown["progress"] == 93, "what failed is not done"
    (failure,) = shown["failures"]
    assert {**failure, "error": ""} == {"step": "scene_clip", "channel": "clip", "scene_id": str(scene.pk), "scene_index": 2, "error": ""}
    assert "The keyframe cannot be read" in failure["error"]
    assert [step["failed"] for step in shown["steps"]] == [0, 0, 0, 1]


@pytest.mark.parametrize("after", [1, 2])
def test_a_canceled_update_keeps_its_share_although_the_earlier_vectors_are_up_to_date(api: APIClient, url: str, after: int) -> None:
    api.post(url)
    work_run(str(ReprocessRun.objects.get().pk))
    api.post(url, {"force": True})
    run = ReprocessRun.objects.get(force=True)
    shares: list[int] = []
    record_usage = state.record_usage

    def cancel_after(*args: Any) -> None:
        record_usage(*args)
        if len(shares) < after:
            shares.append(api.get(url).json()["progress"])
        if len(shares) == after:
            api.post(f"{url}/cancel")

    with mock.patch("reprocess.runs.worker.record_usage", side_effect=cancel_after):
        work_run(str(run.pk))
    shown = api.get(url).json()
    assert (shown["state"], shown["progress"]) == ("cancelled", shares[-1])
    assert 0 < shown["progress"] < 100
    assert shown["message"] == "The search index of this video is up to date."


def test_a_request_reuses_an_unfinished_run_that_includes_the_video(api: APIClient, url: str) -> None:
    operator = make_user("operator@example.org", is_staff=True)
    make_video(make_user("other@example.org"), ["Nothing of yours."])
    run = start_full_run(operator)
    answer = api.post(url)
    assert answer.status_code == 202
    shown = answer.json()
    assert (shown["state"], shown["started_by_you"], shown["can_cancel"]) == ("queued", False, False)
    # The video's four scenes in four channels, and nothing about the rest of the run.
    assert sum(step["scenes"] for step in shown["steps"]) == 16
    assert str(run.pk) not in answer.content.decode()
    assert "operator" not in answer.content.decode()
    assert ReprocessRun.objects.count() == 1
    # A run over stale vectors does not satisfy a forced request.
    assert api.post(url, {"force": True}).json()["started_by_you"]
    assert api.post(url, {"force": True}).status_code == 202
    assert ReprocessRun.objects.count() == 2


def test_owners_can_cancel_only_their_own_runs(api: APIClient, url: str) -> None:
    run = start_full_run()
    refused = api.post(f"{url}/cancel")
    assert refused.status_code == 409
    assert "You have no unfinished update" in refused.json()["detail"]
    api.post(url, {"force": True})
    canceled = api.post(f"{url}/cancel")
    assert canceled.status_code == 200
    # The operator's run is left.
    assert (canceled.json()["state"], canceled.json()["can_cancel"]) == ("queued", False)
    run.refresh_from_db()
    assert run.state == "queued"
    ReprocessRun.objects.filter(pk=run.pk).update(state="succeeded")
    ReprocessItem.objects.filter(run=run).delete()
    assert api.get(url).json()["message"] == "The update was canceled. 0 of 16 parts are up to date."
    assert api.post(f"{url}/cancel").status_code == 409


def test_videos_that_are_not_indexed_and_videos_of_other_owners_are_refused(api: APIClient, video: Video, url: str) -> None:
    Video.objects.filter(pk=video.pk).update(state=Video.State.PROCESSING)
    refused = api.post(url)
    assert refused.status_code == 409
    assert refused.json() == {"detail": "This video is processing. It is added to the search index when processing is done."}
    stranger = APIClient()
    stranger.force_authenticate(make_user("other@example.org"))
    assert {stranger.get(url).status_code, stranger.post(url).status_code, stranger.post(f"{url}/cancel").status_code} == {404}
    assert APIClient().post(url).status_code == 401
    assert not ReprocessRun.objects.exists()


def test_the_number_of_requests_per_hour_is_limited(api: APIClient, url: str, settings: Settings) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "reprocess": "2/hour"}
    for _ in range(2):
        assert api.post(url, {"force": True}).status_code == 202
        # A request that joins an unfinished run does not count.
        assert api.post(url, {"force": True}).status_code == 202
        api.post(f"{url}/cancel")
    refused = api.post(url)
    assert (refused.status_code, refused.json()) == (429, {"detail": "Too many updates of a search index. Try again in 30 minutes."})
    assert 1790 < int(refused.headers["Retry-After"]) <= 1800
    RateLimit.objects.update(due_at=F("due_at") - timedelta(minutes=31))
    assert api.post(url).status_code == 202


def test_a_run_pauses_at_the_cost_limit_and_explains_it(api: APIClient, url: str, settings: Settings) -> None:
    settings.MAX_RUN_COST = Decimal(5)
    settings.MODEL_PRICES = {get_text_embedder().identity.model: Decimal(1_000_000)}
    api.post(url)
    # A local model counts no tokens.
    with mock.patch.object(type(get_text_embedder()), "tokens", property(lambda self: 10 * self.calls)):
        work_run(str(ReprocessRun.objects.get().pk))
    shown = api.get(url).json()
    assert (shown["state"], shown["can_cancel"]) == ("paused", True)
    assert "cost limit" in shown["message"]
    assert api.post(f"{url}/cancel").json()["state"] == "cancelled"


@pytest.mark.parametrize("body", [{"force": "perhaps"}, {"force": None}, [1]])
def test_an_invalid_body_is_refused(api: APIClient, url: str, body: object) -> None:
    assert api.post(url, body).status_code == 400
    assert not ReprocessRun.objects.exists()
