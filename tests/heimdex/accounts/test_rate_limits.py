"""Rates are counted once for all processes, and every limited action refuses with 429 and the time to wait."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as project_settings
from django.db import connection
from django.db.models import F
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from heimdex.accounts.models import RateLimit, User
from heimdex.accounts.rate_limits import RateExceeded, delete_unused, get_rate, measure_wait_s, spend
from heimdex.accounts.rates import ACTIONS
from people.models import Person
from tests.library import make_user

PASSWORD = "correct horse battery"
FILM = {"filename": "film.mp4", "mime_type": "video/mp4", "size_bytes": 10}
PHOTO = {"filename": "ann.jpg", "mime_type": "image/jpeg", "size_bytes": 10}


@pytest.fixture
def limit(settings: Settings) -> Callable[[str, str], None]:
    """Return a function that changes the rate of an action."""

    def change(action: str, rate: str) -> None:
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, action: rate}

    return change


@pytest.fixture
def owner(db: None) -> User:
    return make_user("owner@example.org")


@pytest.fixture
def api(owner: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(owner)
    return client


@pytest.fixture
def pages(owner: User) -> Client:
    client = Client()
    client.force_login(owner)
    return client


def pass_time(seconds: float) -> None:
    RateLimit.objects.update(due_at=F("due_at") - timedelta(seconds=seconds))


def register(client: Any, number: int, **environ: Any) -> Any:
    return client.post(
        "/v1/auth/register",
        {"email": f"{number}@example.org", "password": "long enough for all"},
        content_type="application/json",
        **environ,
    )


def log_in(client: Client, email: str, address: str, password: str = "guess") -> Any:
    return client.post("/v1/auth/login", {"email": email, "password": password}, content_type="application/json", REMOTE_ADDR=address)


def test_every_limited_action_has_a_rate_and_a_name() -> None:
    assert project_settings.RATE_LIMITS.keys() == ACTIONS.keys()
    assert all(get_rate(action).count >= 10 for action in ACTIONS)


@pytest.mark.django_db
def test_a_burst_is_allowed_and_then_one_request_per_interval(limit: Callable[[str, str], None]) -> None:
    limit("search", "3/minute")
    for _ in range(3):
        spend("search", "ann")
    with pytest.raises(RateExceeded, match=r"^Too many searches\. Try again in (19|20) seconds\.$") as raised:
        spend("search", "ann")
    assert raised.value.wait_s in (19, 20)
    # Others are not affected.
    spend("search", "bob")
    spend("upload", "ann")

    pass_time(20)
    assert measure_wait_s("search", "ann") == 0
    spend("search", "ann")
    with pytest.raises(RateExceeded):
        spend("search", "ann")
    # Whoever has waited longer has no more than a burst.
    pass_time(100_000)
    for _ in range(3):
        spend("search", "ann")
    with pytest.raises(RateExceeded):
        spend("search", "ann")


@pytest.mark.django_db(transaction=True)
def test_concurrent_requests_cannot_exceed_a_rate(limit: Callable[[str, str], None]) -> None:
    limit("search", "10/hour")
    refused: list[RateExceeded] = []

    def search_often() -> None:
        for _ in range(5):
            try:
                spend("search", "ann")
            except RateExceeded as error:
                refused.append(error)
        connection.close()

    threads = [threading.Thread(target=search_often) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 10


@pytest.mark.django_db
def test_only_unused_rows_are_deleted_and_no_row_names_anyone() -> None:
    spend("failed_login_account", "ann@example.org")
    spend("failed_login_account", "\0 \ud800" + "x" * 5000)
    assert not RateLimit.objects.filter(key__contains="ann").exists()
    assert delete_unused() == 0
    RateLimit.objects.update(due_at=timezone.now())
    assert delete_unused() == 2


def test_pages_and_api_share_the_rate_of_searches(api: APIClient, pages: Client, limit: Callable[[str, str], None]) -> None:
    limit("search", "2/hour")
    assert api.get("/v1/search", {"q": "boat"}).status_code == 200
    assert pages.get("/search/", {"q": "boat"}).status_code == 200
    refused = api.post("/v1/search", {"q": "boat"})
    assert (refused.status_code, refused.json()) == (429, {"detail": "Too many searches. Try again in 30 minutes."})
    assert 1790 <= int(refused["Retry-After"]) <= 1800
    page = pages.get("/search/", {"q": "boat"})
    assert (page.status_code, page["Retry-After"]) == (429, refused["Retry-After"])
    assert "Too many searches. Try again in 30 minutes." in page.content.decode()
    # An invalid or empty search does not count, and is explained.
    assert pages.get("/search/").status_code == 200
    assert api.get("/v1/search", {"q": ""}).status_code == 400


def test_videos_and_photos_share_the_rate_of_uploads(
    owner: User, api: APIClient, limit: Callable[[str, str], None], faces_on: None
) -> None:
    limit("upload", "2/hour")
    photos = f"/v1/persons/{Person.objects.create(owner=owner, name='Ann').pk}/photos/upload-url"
    assert api.post("/v1/videos/upload/init", {**FILM, "size_bytes": 0}).status_code == 400
    assert api.post("/v1/videos/upload/init", FILM).status_code == 201
    assert api.post(photos, PHOTO).status_code == 201
    for url, body in (("/v1/videos/upload/init", FILM), (photos, PHOTO)):
        refused = api.post(url, body)
        assert (refused.status_code, refused.json()) == (429, {"detail": "Too many new uploads. Try again in 30 minutes."})


@pytest.mark.django_db
def test_an_address_registers_a_limited_number_of_accounts(client: Client, limit: Callable[[str, str], None]) -> None:
    limit("registration", "2/hour")
    assert register(client, 1).status_code == 201
    assert client.post("/accounts/register/", {"email": "2@example.org", "password1": "x", "password2": "y"}).status_code == 200
    assert register(client, 3).status_code == 429
    assert client.get("/accounts/register/").status_code == 200
    refused = client.post("/accounts/register/", {})
    assert refused.status_code == 429
    assert "Too many new accounts from your address. Try again in 30 minutes." in refused.content.decode()
    # Another address can; another one of the same IPv6 network cannot.
    assert register(client, 4, REMOTE_ADDR="2001:db8::1").status_code == 201
    assert register(client, 5, REMOTE_ADDR="2001:db8::2").status_code == 201
    assert register(client, 6, REMOTE_ADDR="2001:db8::3").status_code == 429


def test_guesses_of_the_old_password_are_limited(owner: User, limit: Callable[[str, str], None]) -> None:
    limit("password_change", "2/hour")
    owner.set_password(PASSWORD)
    owner.save()
    client = Client()
    client.force_login(owner)
    passwords = {"new_password1": "another long password", "new_password2": "another long password"}
    for _ in range(2):
        assert client.post("/accounts/password/", {"old_password": "guess", **passwords}).status_code == 200
    refused = client.post("/accounts/password/", {"old_password": PASSWORD, **passwords})
    assert refused.status_code == 429
    assert "Too many attempts to change your password" in refused.content.decode()
    owner.refresh_from_db()
    assert owner.check_password(PASSWORD)


@pytest.mark.django_db
def test_guesses_for_many_accounts_from_one_address_are_limited(client: Client, limit: Callable[[str, str], None]) -> None:
    limit("failed_login_address", "3/hour")
    User.objects.create_user("ann@example.org", PASSWORD)
    assert [log_in(client, f"{number}@example.org", "192.0.2.1").status_code for number in range(3)] == [401, 401, 401]
    refused = log_in(client, "ann@example.org", "192.0.2.1", PASSWORD)
    assert (refused.status_code, refused.json()) == (429, {"detail": "Too many failed logins from your address. Try again in 20 minutes."})
    assert 1190 <= int(refused["Retry-After"]) <= 1200
    assert log_in(client, "ann@example.org", "192.0.2.2", PASSWORD).status_code == 200
    # Refused attempts do not prolong the wait.
    pass_time(1200)
    assert log_in(client, "ann@example.org", "192.0.2.1", PASSWORD).status_code == 200


@pytest.mark.django_db
def test_guesses_for_one_account_from_many_addresses_are_limited(client: Client, limit: Callable[[str, str], None]) -> None:
    limit("failed_login_account", "3/hour")
    User.objects.create_user("ann@example.org", PASSWORD)
    assert [log_in(client, "Ann@example.org", f"192.0.2.{number}").status_code for number in range(3)] == [401, 401, 401]
    refused = log_in(client, "ann@example.org", "192.0.2.9", PASSWORD)
    assert (refused.status_code, refused.json()) == (429, {"detail": "Too many failed logins for this account. Try again in 20 minutes."})
    page = client.post("/accounts/login/", {"username": "ann@example.org", "password": PASSWORD}, REMOTE_ADDR="192.0.2.9")
    assert page.status_code == 429
    assert "Too many failed logins for this account." in page.content.decode()
    assert log_in(client, "bob@example.org", "192.0.2.9").status_code == 401


@pytest.mark.django_db
def test_right_passwords_from_one_address_are_limited_too(client: Client, limit: Callable[[str, str], None]) -> None:
    limit("login", "3/hour")
    User.objects.create_superuser("ann@example.org", PASSWORD)
    assert [log_in(client, "ann@example.org", "192.0.2.1", PASSWORD).status_code for _ in range(3)] == [200, 200, 200]
    refused = log_in(client, "ann@example.org", "192.0.2.1", PASSWORD)
    assert (refused.status_code, refused.json()) == (429, {"detail": "Too many logins from your address. Try again in 20 minutes."})
    assert 1190 <= int(refused["Retry-After"]) <= 1200
    client.logout()
    for path in ("/accounts/login/", "/admin/login/"):
        page = client.post(path, {"username": "ann@example.org", "password": PASSWORD}, REMOTE_ADDR="192.0.2.1")
        assert page.status_code == 429
        assert "Too many logins from your address." in page.content.decode()
    assert log_in(client, "ann@example.org", "192.0.2.2", PASSWORD).status_code == 200
