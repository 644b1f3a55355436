"""Cutovers over HTTP, for admins."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from tests.library import make_user
from tests.reprocess.cutover.conftest import get_active_spaces, run, run_queries

pytestmark = pytest.mark.django_db

CUTOVERS = "/v1/admin/cutovers"


@pytest.fixture
def admin_api() -> APIClient:
    client = APIClient()
    client.force_authenticate(make_user("admin@example.org", is_staff=True))
    return client


def test_an_admin_can_cut_over_and_roll_back(admin_api: APIClient, owner: User, change_model: Callable[..., None]) -> None:
    before = get_active_spaces(owner)
    run_queries(owner)
    refused = admin_api.post(CUTOVERS, {"owner_id": str(owner.pk)})
    assert (refused.status_code, refused.json()["detail"]) == (409, "This owner's search already reads the latest spaces.")
    change_model()
    run(automatic_cutover=False)
    made = admin_api.post(CUTOVERS, {"owner_id": str(owner.pk)})
    assert (made.status_code, made.json()["state"], made.json()["before"]) == (201, "switched", before)
    shown = admin_api.get(f"{CUTOVERS}/{made.json()['id']}").json()
    assert (shown["report"]["queries"], shown["after"]) == (3, get_active_spaces(owner))
    undone = admin_api.post(f"{CUTOVERS}/{shown['id']}/rollback")
    assert (undone.status_code, undone.json()["cutover"]["state"], get_active_spaces(owner)) == (200, "rolled back", before)
    again = admin_api.post(f"{CUTOVERS}/{shown['id']}/rollback")
    assert (again.status_code, again.json()["detail"]) == (409, "This cutover was already rolled back.")
    listed = admin_api.get(CUTOVERS, {"owner_id": str(owner.pk)}).json()["results"]
    assert [cutover["state"] for cutover in listed] == ["rolled back", "switched"]
    assert admin_api.get(CUTOVERS, {"owner_id": str(uuid4())}).json()["results"] == []


def test_invalid_requests_name_the_invalid_field(admin_api: APIClient) -> None:
    assert list(admin_api.post(CUTOVERS, {}).json()) == ["owner_id"]
    assert list(admin_api.get(CUTOVERS, {"owner_id": "me"}).json()) == ["owner_id"]
    assert admin_api.post(CUTOVERS, {"owner_id": str(uuid4())}).status_code == 404
    assert admin_api.post(f"{CUTOVERS}/{uuid4()}/rollback").status_code == 404


def test_only_admins_have_access() -> None:
    user = APIClient()
    user.force_authenticate(make_user())
    for client, code in ((APIClient(), 401), (user, 403)):
        assert client.get(CUTOVERS).status_code == code
        assert client.post(f"{CUTOVERS}/{uuid4()}/rollback").status_code == code
