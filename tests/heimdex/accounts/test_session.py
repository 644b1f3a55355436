"""Logging in by session, as a page's script does."""

from django.test import Client

from heimdex.accounts.models import User
from tests.heimdex.accounts.conftest import EMAIL, PASSWORD


def _login(client: Client, email: str = EMAIL, password: str = PASSWORD) -> int:
    return client.post("/v1/auth/login", {"email": email, "password": password}, content_type="application/json").status_code


def test_a_browser_logs_in_and_out(browser: Client, ann: User) -> None:
    answer = browser.post("/v1/auth/login", {"email": "ANN@example.com", "password": PASSWORD}, content_type="application/json")
    assert answer.status_code == 200
    assert answer.json()["id"] == str(ann.pk)
    assert answer.cookies["sessionid"]["httponly"]
    assert answer.cookies["sessionid"]["samesite"] == "Lax"

    me = browser.get("/v1/auth/me")
    assert {key: me.json()[key] for key in ("id", "email", "name", "is_staff")} == {
        "id": str(ann.pk),
        "email": EMAIL,
        "name": "Ann Example",
        "is_staff": False,
    }

    forged = browser.generic("POST", "/v1/auth/logout", content_type="")
    assert forged.status_code == 403
    assert "CSRF" in forged.json()["detail"]
    token = {"X-CSRFToken": browser.cookies["csrftoken"].value}
    assert browser.generic("POST", "/v1/auth/logout", content_type="", headers=token).status_code == 204
    assert browser.get("/v1/auth/me").status_code == 401


def test_anonymous_requests_get_401(client: Client, db: None) -> None:
    for answer in (client.get("/v1/auth/me"), client.post("/v1/auth/logout")):
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"].startswith("Bearer")
        assert answer.json() == {"detail": "Authentication credentials were not provided."}


def test_wrong_credentials_and_inactive_accounts_get_the_same_answer(client: Client, ann: User) -> None:
    closed = User.objects.create_user("closed@example.com", PASSWORD, is_active=False)
    User.objects.create_user("nopassword@example.com")

    assert _login(client, password="wrong") == 401
    assert _login(client, email=closed.email) == 401
    assert _login(client, email="nobody@example.com") == 401
    assert _login(client, email="nopassword@example.com", password="") == 400
    assert _login(client) == 200


def test_a_session_ends_when_the_account_or_the_password_changes(client: Client, ann: User) -> None:
    _login(client)
    ann.is_active = False
    ann.save()
    assert client.get("/v1/auth/me").status_code == 401

    ann.is_active = True
    ann.save()
    _login(client)
    ann.set_password("another long secret")
    ann.save()
    assert client.get("/v1/auth/me").status_code == 401
