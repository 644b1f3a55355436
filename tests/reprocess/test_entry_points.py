"""The API, the command and the admin start the same runs with the same messages, for admins only."""

import io
import json
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from reprocess.models import ReprocessRun
from reprocess.planning.scope import Scope
from reprocess.runs.requests import start_run
from reprocess.runs.worker import run_worker
from reprocess.tasks import work_run
from tests.library import make_user, make_video
from videos.models import Video

pytestmark = pytest.mark.django_db

START = "/v1/admin/reprocess-embeddings"


@pytest.fixture
def admin_api() -> APIClient:
    client = APIClient()
    client.force_authenticate(make_user("admin@example.org", is_staff=True))
    return client


@pytest.fixture
def admin_pages() -> Client:
    client = Client()
    client.force_login(make_user("root@example.org", is_staff=True, is_superuser=True))
    return client


def test_the_api_queues_a_run_and_returns_the_documented_json(admin_api: APIClient) -> None:
    make_video(make_user())
    answer = admin_api.post(START, {"scope": "all"})
    assert answer.status_code == 202
    run = ReprocessRun.objects.get()
    assert answer.json() == {
        "status": "queued",
        "spec_version": "2026-01-06",
        "scope": "all",
        "video_count": 1,
        "message": "Queued embedding reprocessing for 1 video(s) using spec version 2026-01-06",
        "run_id": str(run.pk),
        "status_url": f"http://testserver/v1/admin/reprocess-runs/{run.pk}",
    }
    assert (run.entry_point, run.requested_by.email) == ("api", "admin@example.org")  # type: ignore[union-attr]
    work_run(str(run.pk))
    shown = admin_api.get(answer.json()["status_url"]).json()
    assert (shown["state"], shown["progress"]) == ("succeeded", 100)
    assert {c["channel"]: c["done"] + c["empty"] for c in shown["counters"]} == {
        "transcript": 4,
        "visual": 4,
        "summary": 4,
        "clip": 4,
        "search_index": 0,
    }
    assert admin_api.get(f"{START.replace('embeddings', 'runs')}/{run.pk}/failures").json()["results"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "scope"),
        ({"scope": "planet"}, "scope"),
        ({"scope": "video"}, "video_id"),
        ({"scope": "owner"}, "owner_id"),
        ({"scope": "video", "video_id": "42"}, "video_id"),
        ({"scope": "owner", "owner_id": "me"}, "owner_id"),
        ({"scope": "all", "video_id": str(uuid4())}, "video_id"),
        ({"scope": "owner", "owner_id": str(uuid4()), "video_id": str(uuid4())}, "video_id"),
        ({"scope": "all", "since": "yesterday"}, "since"),
        ({"scope": "all", "force": "perhaps"}, "force"),
    ],
)
@pytest.mark.parametrize("path", [START, f"{START}/plan"])
def test_the_api_names_the_invalid_field(admin_api: APIClient, path: str, body: dict[str, str], field: str) -> None:
    answer = admin_api.post(path, body)
    assert answer.status_code == 400
    assert list(answer.json()) == [field]
    assert not ReprocessRun.objects.exists()


@pytest.mark.parametrize("scope", ["video", "owner"])
def test_the_api_returns_404_for_an_unknown_id(admin_api: APIClient, scope: str) -> None:
    answer = admin_api.post(START, {"scope": scope, f"{scope}_id": str(uuid4())})
    assert answer.status_code == 404
    assert f"There is no {scope}" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/v1/admin/reprocess-runs", f"/v1/admin/reprocess-runs/{UUID(int=1)}"])
def test_only_admins_have_access(path: str) -> None:
    anonymous, user = APIClient(), APIClient()
    user.force_authenticate(make_user())
    assert anonymous.post(START, {"scope": "all"}).status_code == 401
    assert user.post(START, {"scope": "all"}).status_code == 403
    assert anonymous.get(path).status_code == 401
    assert user.get(path).status_code == 403


def test_the_plan_endpoint_plans_and_starts_no_run(admin_api: APIClient) -> None:
    video = make_video(make_user())
    plan = admin_api.post(f"{START}/plan", {"scope": "video", "video_id": str(video.pk)}).json()
    assert (plan["videos"], plan["stale"]) == (1, 16)
    assert plan["channels"][0]["causes"] == {"missing": 4}
    assert not ReprocessRun.objects.exists()


def test_since_excludes_videos_that_were_not_updated(admin_api: APIClient) -> None:
    owner = make_user()
    old, new = make_video(owner), make_video(owner)
    Video.objects.filter(pk=old.pk).update(updated_at=timezone.now() - timedelta(days=3))
    since = (timezone.now() - timedelta(days=1)).isoformat()
    answer = admin_api.post(START, {"scope": "owner", "owner_id": str(owner.pk), "since": since}).json()
    assert answer["video_count"] == 1
    assert ReprocessRun.objects.get().items.get().video_id == new.pk


def test_an_owner_scope_excludes_the_videos_of_other_owners(admin_api: APIClient) -> None:
    mine, theirs = make_video(make_user()), make_video(make_user("other@example.org"))
    admin_api.post(START, {"scope": "owner", "owner_id": str(mine.owner_id)})
    run = ReprocessRun.objects.get()
    work_run(str(run.pk))
    assert not theirs.scenes.filter(embeddings__isnull=False).exists()
    assert mine.scenes.filter(embeddings__isnull=False).exists()


def run_command(*args: str) -> str:
    out = io.StringIO()
    call_command("reprocess_embeddings", *args, stdout=out)
    return out.getvalue()


def test_a_plan_over_everything_lists_the_owners_with_the_most_stale_vectors(admin_pages: Client) -> None:
    busy, idle, done = make_user("busy@example.org"), make_user("idle@example.org"), make_user("done@example.org")
    make_video(done)
    run_worker(start_run(Scope("all"), force=False, entry_point="command", requested_by=None).pk)
    make_video(idle)
    make_video(busy)
    make_video(busy)
    plan = json.loads(run_command("--scope", "all", "--dry-run", "--json"))
    assert plan["stale_owners"] == 2
    assert plan["owners"] == [
        {"owner_id": str(busy.pk), "scenes": 8, "stale": 32},
        {"owner_id": str(idle.pk), "scenes": 4, "stale": 16},
    ]
    shown = run_command("--scope", "all", "--dry-run")
    assert shown.index("busy@example.org") < shown.index("idle@example.org")
    assert "done@example.org" not in shown
    page = admin_pages.get("/admin/reprocess/reprocessrun/start/?scope=all").content.decode()
    assert "busy@example.org" in page
    assert "By owner" in page
    forced = json.loads(run_command("--scope", "all", "--dry-run", "--json", "--force"))
    assert [owner["stale"] for owner in forced["owners"]] == [32, 16, 16]
    assert "By owner" not in run_command("--scope", "owner", "--owner-id", str(busy.pk), "--dry-run")


def test_the_command_takes_an_owner_by_address_or_id() -> None:
    owner = make_video(make_user("busy@example.org")).owner
    make_video(make_user("other@example.org"))
    for name in ("Busy@example.org", str(owner.pk)):
        assert json.loads(run_command("--scope", "owner", "--owner-id", name, "--dry-run", "--json"))["videos"] == 1


def test_the_command_plans_queues_and_reports() -> None:
    video = make_video(make_user())
    plan = json.loads(run_command("--scope", "all", "--dry-run", "--json"))
    assert plan["stale"] == 16
    assert not ReprocessRun.objects.exists()
    output = run_command("--scope", "video", "--video-id", str(video.pk))
    assert "Queued embedding reprocessing for 1 video(s) using spec version 2026-01-06" in output
    run = ReprocessRun.objects.get()
    assert (run.entry_point, run.video_id) == ("command", video.pk)
    work_run(str(run.pk))
    table = run_command("--scope", "all", "--dry-run")
    assert "nothing is stale; 0 model calls" in table


@pytest.mark.parametrize(
    "args",
    [
        ["--scope", "video"],
        ["--scope", "owner", "--owner-id", str(uuid4())],
        ["--scope", "owner", "--owner-id", "nobody@example.org"],
        ["--scope", "all", "--video-id", str(uuid4())],
    ],
)
def test_the_command_exits_with_2_for_wrong_usage(args: list[str]) -> None:
    with pytest.raises(CommandError) as error:
        run_command(*args)
    assert error.value.returncode == 2
    assert "_id" not in str(error.value).split(":")[0]


def test_admin_actions_show_the_plan_and_start_the_run(admin_pages: Client) -> None:
    video = make_video(make_user())
    for page, action, selected in (
        ("videos/video", "reprocess_videos", video.pk),
        ("accounts/user", "reprocess_owners", video.owner_id),
    ):
        answer = admin_pages.post(f"/admin/{page}/", {"action": action, "_selected_action": str(selected)})
        shown = admin_pages.get(answer["Location"])
        assert "16 vectors to compute" in shown.content.decode()
        assert not ReprocessRun.objects.exists()
        form = {"scope": shown.context["scope"], "id": shown.context["ids"]}
        done = admin_pages.post("/admin/reprocess/reprocessrun/start/", form, follow=True)
        run = ReprocessRun.objects.get()
        output = done.content.decode()
        assert "Queued embedding reprocessing for 1 video(s) using spec version 2026-01-06" in output
        assert f"/admin/reprocess/reprocessrun/{run.pk}/change/" in output
        assert run.entry_point == "admin"
        run.delete()


@pytest.mark.parametrize("page", ["reprocess/reprocessrun", "videos/video", "accounts/user"])
def test_the_lists_have_a_button_that_starts_a_run_over_everything(admin_pages: Client, page: str) -> None:
    make_video(make_user())
    shown = admin_pages.get(f"/admin/{page}/").content.decode()
    assert "Reprocess Embeddings (All)" in shown
    confirmation = admin_pages.get("/admin/reprocess/reprocessrun/start/?scope=all&force=1").content.decode()
    assert "forced: 4" in confirmation
    admin_pages.post("/admin/reprocess/reprocessrun/start/", {"scope": "all", "force": "1"})
    run = ReprocessRun.objects.get()
    assert (run.scope, run.force) == ("all", True)
    assert admin_pages.get(f"/admin/reprocess/reprocessrun/{run.pk}/change/").status_code == 200


def test_the_confirmation_page_refuses_invalid_scopes_and_users_who_are_not_staff(admin_pages: Client, client: Client) -> None:
    for query in ("", "?scope=video", "?scope=video&id=nonsense", "?scope=planet"):
        assert admin_pages.get(f"/admin/reprocess/reprocessrun/start/{query}").status_code == 400
    client.force_login(make_user("nobody@example.org"))
    assert client.get("/admin/reprocess/reprocessrun/start/?scope=all").status_code == 302
