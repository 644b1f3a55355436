"""While the database is away, every request is answered with 503 and when to try again, never with an error of ours."""

from collections.abc import Iterator

import pytest
from django.db import close_old_connections, connection
from django.test import Client
from rest_framework_simplejwt.tokens import RefreshToken

from heimdex.accounts.models import User
from tests.freezing import freeze
from tests.library import make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def user() -> User:
    return make_user()


@pytest.fixture
def browser(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


@pytest.fixture
def token(user: User) -> str:
    return str(RefreshToken.for_user(user).access_token)


@pytest.fixture
def away(browser: Client, token: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make the database unreachable, once everything that the test needs is in it."""
    with monkeypatch.context() as patch:
        connection.close()
        patch.setitem(connection.settings_dict, "PORT", 1)
        yield


@pytest.mark.usefixtures("away")
@pytest.mark.parametrize("path", ["/", "/people/", "/accounts/login/", "/admin/"])
def test_pages_name_the_outage(browser: Client, path: str) -> None:
    answer = browser.get(path)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert "The database does not answer. Nothing is lost. Try again in a minute." in answer.content.decode()
    assert "127.0.0.1" not in answer.content.decode()


@pytest.mark.usefixtures("away")
def test_the_api_names_the_outage(browser: Client, token: str) -> None:
    answers = [
        browser.get("/v1/videos"),
        Client().get("/v1/videos", headers={"Authorization": f"Bearer {token}"}),
        Client().post("/v1/auth/token", {"email": "ann@example.com", "password": "secret"}, content_type="application/json"),
    ]
    for answer in answers:
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
        assert answer.json() == {"detail": "The database does not answer. Nothing is lost. Try again in a minute."}


@pytest.mark.parametrize("path", ["/", "/v1/videos"])
def test_a_database_that_hangs_is_away_and_the_next_request_gets_a_new_connection(
    browser: Client, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    connection.close()
    with monkeypatch.context() as patch:
        # The web service sets it to more than the longest statement.
        patch.setitem(connection.settings_dict, "ANSWER_TIMEOUT_S", 0.5)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            [backend] = cursor.fetchone()
        with freeze([backend]):
            answer = browser.get(path)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert "The database does not answer. Nothing is lost. Try again in a minute." in answer.content.decode()
    # As a server does between requests, and the test's client does not.
    close_old_connections()
    assert browser.get(path).status_code == 200
