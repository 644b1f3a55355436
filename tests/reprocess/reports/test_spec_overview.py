"""The overview of the spec and its spaces, in the command and in the admin, with few SQL statements for any number of owners."""

import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from heimdex.accounts.models import User
from reprocess.models import ReprocessRun
from reprocess.planning.scope import Scope
from reprocess.reports.owner_coverage import measure_owner_coverage, select_owners_with_targets
from reprocess.reports.spec_overview import summarize_spec
from tests.library import make_user, make_video
from tests.reprocess.cutover.conftest import change_model, owner, run  # noqa: F401  (fixtures)
from videos.models import RetiredSpace, SceneEmbedding

pytestmark = pytest.mark.django_db

PAGE = "/admin/reprocess/embeddingspec/"


def run_spec(*args: str) -> str:
    out = io.StringIO()
    call_command("spec", *args, stdout=out)
    return out.getvalue()


def load_spec(*args: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(run_spec("--json", *args))
    return data


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(make_user("staff@example.org", is_staff=True))
    return client


def test_before_the_first_run_every_space_is_pending_and_no_owner_is_shown(staff: Client) -> None:
    data = load_spec()
    assert [(space["channel"], space["id"], space["rows"]) for space in data["spaces"]] == [
        (channel, "", 0) for channel in ("transcript", "visual", "summary", "clip")
    ]
    assert data["owners"] == []
    assert "No owner has indexed videos yet." in run_spec()
    page = staff.get(PAGE).content.decode()
    assert "No owner has indexed videos yet" in page
    assert data["digest"] in page


def test_after_a_model_change_active_pending_and_retired_spaces_are_shown_with_the_purge_date(
    owner: User,  # noqa: F811
    change_model: Callable[[str], None],  # noqa: F811
    settings: Settings,
) -> None:
    change_model("passage: ")
    by_state = group_channels_by_state(load_spec()["owners"][0])
    assert by_state == {"active": {"transcript", "visual", "summary", "clip"}, "coming": {"transcript", "visual", "summary"}}
    pending = [space for space in load_spec()["spaces"] if space["coming_owners"]]
    assert {space["channel"] for space in pending} == {"transcript", "visual", "summary"}
    assert all(space["latest"] and space["rows"] == 0 for space in pending)

    run(Scope("owner", owner_id=owner.pk))
    data = load_spec()
    assert group_channels_by_state(data["owners"][0]) == {
        "active": {"transcript", "visual", "summary", "clip"},
        "retired": {"transcript", "visual", "summary"},
    }
    retired = RetiredSpace.objects.filter(owner=owner, space__channel="visual").get()
    shown = next(space for space in data["owners"][0]["spaces"] if space["state"] == "retired" and space["channel"] == "visual")
    due = retired.retired_at + timedelta(days=settings.KEEP_RETIRED_DAYS)
    assert shown["purge_from"][:19] == due.isoformat()[:19]
    assert f"{due:%Y-%m-%d}" in run_spec()


def group_channels_by_state(shown: dict[str, Any]) -> dict[str, set[str]]:
    channels: dict[str, set[str]] = {}
    for space in shown["spaces"]:
        channels.setdefault(space["state"], set()).add(space["channel"])
    return channels


def test_coverage_counts_scenes_by_state_and_all_spaces_have_a_size(owner: User) -> None:  # noqa: F811
    SceneEmbedding.objects.filter(owner=owner, space__channel="clip", scene__index=0).delete()
    SceneEmbedding.objects.filter(owner=owner, space__channel="clip", scene__index=1).update(state="failed", vector=None, error="Broken.")
    overview = summarize_spec()
    (shown,) = measure_owner_coverage([owner], overview)
    by_channel = {space.channel: (space.embedded, space.empty, space.failed, space.missing, space.percent) for space in shown.spaces}
    assert shown.scenes == 6
    assert by_channel["transcript"] == (5, 1, 0, 0, 100)
    assert by_channel["clip"] == (2, 0, 2, 2, 33)
    assert all(space.table_bytes > 0 and space.packed_rows == 0 for space in overview.spaces)
    assert all(space.active_owners == 1 and space.active_since for space in overview.spaces)


def test_the_number_of_statements_does_not_depend_on_the_number_of_owners(
    staff: Client,
    django_assert_max_num_queries: Any,
) -> None:
    def add(count: int) -> None:
        for _ in range(count):
            make_video(make_user(f"owner{User.objects.count()}@example.org"), ["Boats.", "Trains."])
        run()

    add(1)
    staff.get(PAGE)
    with django_assert_max_num_queries(26) as page:
        staff.get(PAGE)
    with django_assert_max_num_queries(20) as command:
        run_spec()
    add(5)
    with django_assert_max_num_queries(len(page)):
        staff.get(PAGE)
    with django_assert_max_num_queries(len(command)):
        run_spec()


def test_the_command_shows_some_owners_and_the_number_of_others(owner: User) -> None:  # noqa: F811
    for number in range(3):
        make_video(make_user(f"other{number}@example.org"), ["Boats."])
    assert "… and 2 more owner(s)" in run_spec("--owners", "2")
    assert [shown["email"] for shown in load_spec("--owner", "other1@example.org")["owners"]] == ["other1@example.org"]
    assert load_spec()["owner_count"] == 4
    with pytest.raises(CommandError) as error:
        run_spec("--owner", "nobody@example.org")
    assert error.value.returncode == 2


def test_the_page_is_for_staff_and_linked_from_the_admin_index(staff: Client, client: Client, owner: User) -> None:  # noqa: F811
    assert PAGE in staff.get("/admin/").content.decode()
    page = staff.get(PAGE).content.decode()
    assert "owner@example.org: 6 scenes" in page
    assert page.count("<caption") == page.count("<table")
    assert f"?owner__id__exact={owner.pk}" in page
    recorded = ReprocessRun.objects.get().spec_id
    assert staff.get(f"{PAGE}{recorded}/change/").status_code == 200
    User.objects.update(is_superuser=True)
    for query in (f"owner__id__exact={owner.pk}", f"spec__digest__exact={recorded}"):
        assert staff.get(f"/admin/reprocess/reprocessrun/?{query}").status_code == 200
    User.objects.update(is_superuser=False)
    client.force_login(owner)
    assert client.get(PAGE).status_code == 302
    assert client.get(f"{PAGE}{recorded}/change/").status_code == 302


def test_owners_can_be_searched_and_are_paginated(staff: Client) -> None:
    for number in range(30):
        make_video(make_user(f"owner{number:02}@example.org"), [""])
    first = staff.get(PAGE).content.decode()
    assert ("owner24@" in first, "owner25@" in first, "Page 1 of 2 (30 owners)" in first) == (True, False, True)
    assert "owner25@" in staff.get(f"{PAGE}?p=2").content.decode()
    results = staff.get(f"{PAGE}?q=R17@").content.decode()
    assert ("owner17@" in results, "owner18@" in results) == (True, False)
    assert "No owner whose e-mail contains “nobody”" in staff.get(f"{PAGE}?q=nobody").content.decode()
    assert select_owners_with_targets().count() == 30
