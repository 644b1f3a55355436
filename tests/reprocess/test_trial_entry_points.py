"""The API and the admin queue the same trials, and show their state and their report, to admins only."""

from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from heimdex.errors import ModelAway
from reprocess.models import ReprocessRun
from reprocess.tasks import work_run
from tests.library import make_user
from tests.reprocess.cutover.conftest import get_active_spaces
from tests.reprocess.cutover.synonyms import SynonymEmbedder
from videos.models import Video

pytestmark = pytest.mark.django_db

TRIAL = "/v1/admin/reprocess-embeddings/trial"
PAGE = "/admin/reprocess/reprocessrun/start/"


@pytest.fixture
def admin() -> User:
    return make_user("root@example.org", is_staff=True, is_superuser=True)


@pytest.fixture
def admin_api(admin: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(admin)
    return client


@pytest.fixture
def admin_pages(admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


def test_the_api_queues_a_trial_and_shows_its_state_and_report(owner: User, learn_synonyms: None, admin_api: APIClient) -> None:
    before = get_active_spaces(owner)
    answer = admin_api.post(TRIAL, {"scope": "owner", "owner_id": str(owner.pk), "size": 4})
    assert answer.status_code == 202
    assert answer.json()["message"] == "Queued a trial of 4 scene(s) using spec version 2026-01-06. Search stays as it is"
    url = answer.json()["status_url"]
    queued = admin_api.get(url).json()
    assert (queued["state"], queued["trial"], queued["requested_by"]) == ("queued", {"size": 4, "report": None}, "root@example.org")
    # The same request again is the same trial.
    assert admin_api.post(TRIAL, {"scope": "owner", "owner_id": str(owner.pk), "size": 4}).json()["status_url"] == url
    work_run(answer.json()["run_id"])
    ended = admin_api.get(url).json()
    assert (ended["state"], ended["progress"], ended["automatic_cutover"]) == ("succeeded", 100, False)
    assert (ended["trial"]["report"]["sampled"], ended["trial"]["report"]["stale"]) == (4, 6)
    assert {counter["channel"]: counter["planned"] for counter in ended["counters"]}["transcript"] == 4
    assert get_active_spaces(owner) == before


def test_a_run_over_everything_is_no_trial(owner: User, learn_synonyms: None, admin_api: APIClient) -> None:
    trial = admin_api.post(TRIAL, {"scope": "all"}).json()["run_id"]
    run = admin_api.post("/v1/admin/reprocess-embeddings", {"scope": "all"}).json()["run_id"]
    assert run != trial
    assert admin_api.get(f"/v1/admin/reprocess-runs/{run}").json()["trial"] is None


def test_the_list_of_runs_reads_all_trials_at_once(
    owner: User, learn_synonyms: None, admin_api: APIClient, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for size in (1, 2, 3):
        admin_api.post(TRIAL, {"scope": "all", "size": size})
    with django_assert_max_num_queries(4):
        assert len(admin_api.get("/v1/admin/reprocess-runs").json()["results"]) == 4


def test_a_trial_is_canceled_like_a_run(owner: User, learn_synonyms: None, admin_api: APIClient) -> None:
    run_id = admin_api.post(TRIAL, {"scope": "all"}).json()["run_id"]
    assert admin_api.post(f"/v1/admin/reprocess-runs/{run_id}/cancel").json()["state"] == "cancelled"
    work_run(run_id)
    assert admin_api.get(f"/v1/admin/reprocess-runs/{run_id}").json()["trial"]["report"] is None


def test_a_trial_names_what_it_waits_for(owner: User, learn_synonyms: None, admin_api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise ModelAway("The model server does not answer.")

    monkeypatch.setattr(SynonymEmbedder, "_encode_queries", fail)
    run_id = admin_api.post(TRIAL, {"scope": "all"}).json()["run_id"]
    work_run(run_id)
    waiting = admin_api.get(f"/v1/admin/reprocess-runs/{run_id}").json()
    assert (waiting["state"], waiting["waits_for"]) == ("paused", "model")
    assert "The model server does not answer." in waiting["error"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "scope"),
        ({"scope": "owner"}, "owner_id"),
        ({"scope": "all", "size": 0}, "size"),
        ({"scope": "all", "size": 5001}, "size"),
        ({"scope": "all", "size": "many"}, "size"),
        ({"scope": "all", "since": "yesterday"}, "since"),
    ],
)
def test_the_api_names_the_invalid_field(admin_api: APIClient, body: dict[str, object], field: str) -> None:
    answer = admin_api.post(TRIAL, body)
    assert (answer.status_code, list(answer.json())) == (400, [field])


def test_nothing_to_try_and_unknown_owners_are_errors(owner: User, admin_api: APIClient) -> None:
    nothing = admin_api.post(TRIAL, {"scope": "all"})
    assert (nothing.status_code, nothing.json()["detail"][:17]) == (409, "Nothing is stale,")
    unknown = admin_api.post(TRIAL, {"scope": "owner", "owner_id": "00000000-0000-0000-0000-000000000001"})
    assert unknown.status_code == 404
    assert not ReprocessRun.objects.filter(trial__isnull=False).exists()


def test_owners_have_no_access(owner: User, learn_synonyms: None) -> None:
    client, anonymous = APIClient(), APIClient()
    client.force_authenticate(owner)
    assert client.post(TRIAL, {"scope": "owner", "owner_id": str(owner.pk)}).status_code == 403
    assert anonymous.post(TRIAL, {"scope": "all"}).status_code == 401


def test_the_plan_page_queues_a_trial_and_the_runs_page_shows_its_report(owner: User, learn_synonyms: None, admin_pages: Client) -> None:
    assert "Try a sample first" in admin_pages.get(f"{PAGE}?scope=all").content.decode()
    queued = admin_pages.post(PAGE, {"scope": "all", "trial": "1", "size": "4"}, follow=True).content.decode()
    assert "Queued a trial of 4 scene(s)" in queued
    assert "The report appears when the trial has ended." in queued
    run = ReprocessRun.objects.get(trial__isnull=False)
    work_run(str(run.pk))
    ended = admin_pages.get(f"/admin/reprocess/reprocessrun/{run.pk}/change/").content.decode()
    assert "Tried 4 scenes (6 are stale); search still reads the old vectors" in ended
    assert f"{owner.email}: 4 scenes (6 are stale)" in ended
    listed = admin_pages.get("/admin/reprocess/reprocessrun/").content.decode()
    assert ">trial<" in listed
    assert ">run<" in listed


def test_the_plan_page_names_what_has_nothing_to_try(owner: User, change_model: Callable[[str], None], admin_pages: Client) -> None:
    page = admin_pages.get(f"{PAGE}?scope=all").content.decode()
    assert "Try a sample first" not in page
    change_model("passage: ")
    assert "Try a sample first" not in admin_pages.get(f"{PAGE}?scope=all&force=1").content.decode()
    for size in ("0", "5001", "", "²"):
        assert admin_pages.post(PAGE, {"scope": "all", "trial": "1", "size": size}).status_code == 400
    change_model("")
    shown = admin_pages.post(PAGE, {"scope": "all", "trial": "1", "size": "4"}, follow=True).content.decode()
    assert "Nothing is stale, so there is nothing to try." in shown


def test_the_videos_page_does_not_take_a_trial_for_an_update(owner: User, learn_synonyms: None, admin_api: APIClient) -> None:
    admin_api.post(TRIAL, {"scope": "all"})
    client = Client()
    client.force_login(owner)
    video = Video.objects.get(title="A film")
    assert client.get(f"/v1/videos/{video.pk}/reprocess").json()["state"] == "succeeded"
