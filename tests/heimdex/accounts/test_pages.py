"""The pages for registration, login, logout and password changes."""

import re
from typing import Any

import pytest
from django.test import Client

from heimdex.accounts.models import User
from tests.heimdex.accounts.conftest import EMAIL, PASSWORD


def _post(browser: Client, path: str, data: dict[str, str]) -> Any:
    """Fetch the page and submit its form, as a browser does."""
    browser.get(path)
    return browser.post(path, {**data, "csrfmiddlewaretoken": browser.cookies["csrftoken"].value})


@pytest.mark.django_db
def test_a_person_registers_and_is_logged_in(browser: Client) -> None:
    answer = _post(browser, "/accounts/register/", {"email": EMAIL, "name": "Ann", "password1": PASSWORD, "password2": PASSWORD})

    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert browser.get("/v1/auth/me").json()["email"] == EMAIL


def test_an_invalid_registration_is_explained_on_the_page(browser: Client, ann: User) -> None:
    taken = _post(browser, "/accounts/register/", {"email": "ANN@example.com", "password1": "short", "password2": "short"})

    assert taken.status_code == 200
    assert taken.content.decode().count("An account with this e-mail address already exists.") == 1
    # Only once, and at its field.
    assert "onstraint" not in taken.content.decode()
    assert 'class="message error"' not in taken.content.decode()
    assert "This password is too short" in taken.content.decode()


def test_a_login_leads_to_the_requested_page_and_a_logout_ends_it(browser: Client, ann: User) -> None:
    login = _post(browser, "/accounts/login/?next=/v1/auth/me", {"username": "Ann@Example.com", "password": PASSWORD})
    assert (login.status_code, login["Location"]) == (302, "/v1/auth/me")
    page = browser.get("/accounts/password/").content.decode()
    assert "Ann Example" in page

    out = _post(browser, "/accounts/logout/", {})
    assert (out.status_code, out["Location"]) == (302, "/accounts/login/")
    assert browser.get("/v1/auth/me").status_code == 401


def test_a_login_never_redirects_to_another_site(browser: Client, ann: User) -> None:
    login = _post(browser, "/accounts/login/?next=https://evil.example/", {"username": EMAIL, "password": PASSWORD})

    assert login["Location"] == "/"


def test_wrong_credentials_are_reported_on_the_page(browser: Client, ann: User) -> None:
    answer = _post(browser, "/accounts/login/", {"username": EMAIL, "password": "wrong"})

    assert answer.status_code == 200
    assert "Enter the right e-mail address and password. Capital letters matter in the password only." in answer.content.decode()


def test_a_form_from_another_site_is_rejected(browser: Client, ann: User) -> None:
    answer = browser.post("/accounts/login/", {"username": EMAIL, "password": PASSWORD})
    assert answer.status_code == 403
    assert "Go back, reload the page, and send the form again." in answer.content.decode()
    assert "allow cookies" in answer.content.decode()


def test_a_person_changes_the_password_and_stays_logged_in(browser: Client, ann: User) -> None:
    browser.force_login(ann)
    new = "a different long secret"

    answer = _post(browser, "/accounts/password/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new})

    assert answer.status_code == 302
    assert browser.get("/v1/auth/me").status_code == 200
    ann.refresh_from_db()
    assert ann.check_password(new)


@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/register/", "/accounts/password/"])
def test_every_input_has_a_label_and_every_reference_a_target(client: Client, ann: User, path: str) -> None:
    if path == "/accounts/password/":
        client.force_login(ann)
    page = client.get(path).content.decode()
    ids = set(re.findall(r'\bid="([^"]+)"', page))

    visible = re.findall(r'<input(?![^>]*type="hidden")[^>]*\bid="([^"]+)"', page)
    assert visible
    assert set(visible) <= set(re.findall(r'<label[^>]*for="([^"]+)"', page))
    assert {name for names in re.findall(r'aria-describedby="([^"]+)"', page) for name in names.split()} <= ids
    assert '<html lang="en">' in page
    assert "<h1>" in page


def test_an_unknown_page_is_a_page_and_an_unknown_endpoint_is_json(client: Client, db: None) -> None:
    page, endpoint = client.get("/nothing/here"), client.get("/v1/nothing/here")

    assert (page.status_code, endpoint.status_code) == (404, 404)
    assert "There is no page at this URL" in page.content.decode()
    assert endpoint.json() == {"detail": "Not found."}
