"""Failed logins are limited on every path, with one count."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.db.models import F
from django.test import Client, override_settings

from heimdex.accounts.models import User
from tests.heimdex.accounts.conftest import EMAIL, PASSWORD

LoginPath = Callable[..., Any]


def _build_json_attempt(path: str) -> LoginPath:
    def attempt(client: Client, password: str, email: str = EMAIL, **environ: Any) -> Any:
        return client.post(path, {"email": email, "password": password}, content_type="application/json", **environ)

    return attempt


def _build_form_attempt(path: str) -> LoginPath:
    def attempt(client: Client, password: str, email: str = EMAIL, **environ: Any) -> Any:
        return client.post(path, {"username": email, "password": password}, **environ)

    return attempt


session, token, page, admin = (
    _build_json_attempt("/v1/auth/login"),
    _build_json_attempt("/v1/auth/token"),
    _build_form_attempt("/accounts/login/"),
    _build_form_attempt("/admin/login/"),
)


@pytest.fixture
def staff(db: None) -> User:
    return User.objects.create_superuser(EMAIL, PASSWORD)


@pytest.mark.parametrize("login", [session, token, page, admin], ids=["session", "token", "page", "admin"])
def test_five_failures_lock_every_login_path_for_a_while(client: Client, staff: User, login: LoginPath) -> None:
    assert [login(client, f"guess {number}").status_code == 429 for number in range(5)] == [False] * 4 + [True]

    for each in (session, token, page, admin):
        answer = each(client, PASSWORD)
        assert answer.status_code == 429
        assert 0 < int(answer["Retry-After"]) <= 15 * 60
        assert b"Too many failed logins for this account. Try again in 15 minutes." in answer.content
    assert "sessionid" not in client.cookies
    assert session(client, PASSWORD).json().keys() == {"detail"}


def test_failures_at_different_login_paths_and_spellings_add_up(client: Client, staff: User) -> None:
    session(client, "guess")
    token(client, "guess", " ANN@example.com")
    page(client, "guess", "Ann@Example.com")
    admin(client, "guess", "aNN@example.com")

    assert session(client, "guess", "ann@EXAMPLE.com").status_code == 429


def test_a_lockout_covers_one_account_at_one_address(client: Client, staff: User) -> None:
    User.objects.create_user("bob@example.com", PASSWORD)
    for _ in range(5):
        session(client, "guess")

    assert session(client, PASSWORD, REMOTE_ADDR="192.0.2.7").status_code == 200
    assert session(client, PASSWORD, "bob@example.com").status_code == 200
    assert session(client, PASSWORD).status_code == 429


def test_a_lockout_ends_even_if_the_client_keeps_trying(client: Client, staff: User) -> None:
    for _ in range(7):
        session(client, "guess")
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(minutes=10))
    assert session(client, PASSWORD)["Retry-After"] in {"299", "300"}

    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(minutes=6))
    assert session(client, PASSWORD).status_code == 200


@pytest.mark.parametrize("login", [session, token, page], ids=["session", "token", "page"])
def test_a_login_resets_the_failure_count(client: Client, staff: User, login: LoginPath) -> None:
    for _ in range(2):
        for _ in range(4):
            assert login(client, "guess").status_code != 429
        assert login(client, PASSWORD).status_code in {200, 302}
        client.logout()


def test_a_forwarded_address_counts_only_behind_a_proxy(client: Client, staff: User) -> None:
    for number in range(5):
        session(client, "guess", HTTP_X_FORWARDED_FOR=f"192.0.2.{number}")
    assert session(client, PASSWORD).status_code == 429

    with override_settings(SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https")):
        # The proxy adds the last entry; the client wrote the others.
        for number in range(5):
            session(client, "guess", HTTP_X_FORWARDED_FOR=f"10.0.0.{number}, 198.51.100.1")
        assert session(client, PASSWORD, HTTP_X_FORWARDED_FOR="198.51.100.1").status_code == 429
        assert session(client, PASSWORD, HTTP_X_FORWARDED_FOR="198.51.100.2").status_code == 200


def test_no_password_is_stored(client: Client, staff: User) -> None:
    page(client, "a guess to remember")

    assert "a guess to remember" not in str(list(AccessAttempt.objects.values()))
