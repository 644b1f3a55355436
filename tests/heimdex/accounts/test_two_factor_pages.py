"""The pages on which users turn their second factors on and off."""

import re
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from heimdex.accounts.models import User
from heimdex.accounts.two_factor import has_two_factor, start_totp, verify_code
from tests.heimdex.accounts.conftest import PASSWORD
from tests.heimdex.accounts.second_factors import compute_code, forget_used_codes, is_logged_in, log_in, turn_on

ROOT = "/accounts/two-factor/"


def read_setup(page: str) -> tuple[str, str]:
    """Return the token and the secret of the page that sets up an app."""
    token = re.search(r'name="setup" value="([^"]+)"', page)
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", page)
    assert token
    assert secret
    return token[1], secret[1]


def test_a_person_turns_an_authenticator_app_on_and_off(client: Client, ann: User) -> None:
    client.force_login(ann)
    assert "It is off" in client.get(ROOT).content.decode()
    assert ROOT in client.get("/accounts/password/").content.decode()

    page = client.get(f"{ROOT}app/").content.decode()
    token, secret = read_setup(page)
    assert 'src="data:image/svg+xml;base64,' in page
    wrong = client.post(f"{ROOT}app/", {"setup": token, "code": "000000", "password": "wrong"}).content.decode()
    assert "Enter your current password." in wrong
    assert read_setup(wrong) == (token, secret)
    wrong = client.post(f"{ROOT}app/", {"setup": token, "code": "000000", "password": PASSWORD}).content.decode()
    assert "set the clock of your phone to automatic" in wrong
    assert not has_two_factor(ann)

    done = client.post(f"{ROOT}app/", {"setup": token, "code": compute_code(secret), "password": PASSWORD})
    codes = re.findall(r"<code>(\d{8})</code>", done.content.decode())
    assert len(codes) == 10
    assert "they are not shown again" in done.content.decode()
    page = client.get(ROOT).content.decode()
    assert "It is on" in page
    assert "10 left" in page
    assert not any(code in page for code in codes)

    assert "Enter your current password." in client.post(f"{ROOT}off/", {"password": "wrong"}).content.decode()
    assert has_two_factor(ann)
    client.post(f"{ROOT}off/", {"password": PASSWORD})
    assert "It is off" in client.get(ROOT).content.decode()
    assert not Authenticator.objects.exists()


def test_a_set_up_that_has_expired_is_replaced(client: Client, ann: User) -> None:
    client.force_login(ann)
    bob = User.objects.create_user("bob@example.com", PASSWORD)
    for token in ("nonsense", start_totp(bob).token):
        page = client.post(f"{ROOT}app/", {"setup": token, "code": "123456", "password": PASSWORD}).content.decode()
        assert "This set-up has expired. Start again, and scan the new code." in page
        assert read_setup(page)[0] != token


@pytest.mark.parametrize("path", ["app/", "recovery-codes/", "off/", "passkeys/add/"])
def test_a_change_asks_for_a_second_factor_that_was_not_given_lately(client: Client, ann: User, path: str) -> None:
    """A stolen session and a guessed password change nothing."""
    secret, _ = turn_on(ann)
    log_in(client, ann, secret)
    assert client.get(ROOT + path).status_code == 200
    session = client.session
    session["second_step.checked_at"] -= 16 * 60
    session.save()

    before = list(Authenticator.objects.values())
    for answer in (client.get(ROOT + path), client.post(ROOT + path, {"password": PASSWORD})):
        assert (answer.status_code, answer["Location"]) == (
            302,
            f"/accounts/second-step/?next=%2Faccounts%2Ftwo-factor%2F{path.replace('/', '%2F')}",
        )
    assert list(Authenticator.objects.values()) == before

    assert "Continue" in client.get(answer["Location"]).content.decode()
    checked = client.post(answer["Location"], {"code": compute_code(secret)})
    assert checked["Location"] == ROOT + path
    assert client.get(ROOT + path).status_code == 200


def test_new_recovery_codes_are_shown_once(client: Client, ann: User) -> None:
    secret, old = turn_on(ann)
    log_in(client, ann, secret)
    page = client.post(f"{ROOT}recovery-codes/", {"password": PASSWORD}).content.decode()
    new = re.findall(r"<code>(\d{8})</code>", page)
    assert len(set(new) - set(old)) == 10
    assert not verify_code(ann, old[0])
    assert verify_code(ann, new[0])


def test_a_change_ends_the_other_logins(client: Client, ann: User) -> None:
    secret, _ = turn_on(ann)
    other = Client()
    log_in(client, ann, secret)
    log_in(other, ann, secret)
    client.post(f"{ROOT}recovery-codes/", {"password": PASSWORD})
    assert (is_logged_in(client), is_logged_in(other)) == (True, False)


def test_changes_are_limited(client: Client, ann: User, settings: Any) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "two_factor": "2/hour"}
    client.force_login(ann)
    assert [client.post(f"{ROOT}off/", {"password": "guess"}).status_code for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize("path", ["", "app/", "recovery-codes/", "off/", "passkeys/add/", "passkeys/1/rename/", "passkeys/1/remove/"])
def test_the_pages_need_a_login(client: Client, db: None, path: str) -> None:
    assert client.get(ROOT + path)["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("path", [f"{ROOT}app/", f"{ROOT}off/", f"{ROOT}passkeys/add/", f"{ROOT}recovery-codes/", "/accounts/second-step/"])
def test_every_input_has_a_label_and_every_reference_a_target(client: Client, ann: User, path: str) -> None:
    secret, _ = turn_on(ann)
    log_in(client, ann, secret)
    forget_used_codes(ann)
    page = client.get(path).content.decode()
    ids = set(re.findall(r'\bid="([^"]+)"', page))
    visible = re.findall(r'<input(?![^>]*type="hidden")[^>]*\bid="([^"]+)"', page)
    assert visible
    assert set(visible) <= set(re.findall(r'<label[^>]*for="([^"]+)"', page))
    assert {name for names in re.findall(r'aria-describedby="([^"]+)"', page) for name in names.split()} <= ids
