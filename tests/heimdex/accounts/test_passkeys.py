"""Passkeys as a second factor, with a passkey made in software."""

import json
import re
from html import unescape
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from heimdex.accounts.models import User
from heimdex.accounts.two_factor import has_two_factor
from tests.heimdex.accounts.conftest import EMAIL, PASSWORD
from tests.heimdex.accounts.second_factors import SoftwarePasskey, is_logged_in, turn_on

ROOT = "/accounts/two-factor/"
SECOND_STEP = "/accounts/second-step/"


def read_options(page: Any) -> str:
    """Return the options that a page gives its script."""
    options = re.search(r'data-passkey-options="([^"]+)"', page.content.decode())
    assert options
    return unescape(options[1])


def add(client: Client, passkey: SoftwarePasskey, **fields: str) -> Any:
    options = read_options(client.get(f"{ROOT}passkeys/add/"))
    return client.post(f"{ROOT}passkeys/add/", {"name": "Blue key", "password": PASSWORD, "credential": passkey.create(options), **fields})


@pytest.fixture
def passkey(client: Client, ann: User) -> SoftwarePasskey:
    """Return Ann's passkey, with the client logged in."""
    client.force_login(ann)
    passkey = SoftwarePasskey()
    assert "Recovery codes" in add(client, passkey).content.decode()
    return passkey


def give_password(client: Client) -> str:
    """Log in with the password, and return the options of the second step."""
    answer = client.post("/accounts/login/", {"username": EMAIL, "password": PASSWORD})
    assert answer["Location"].startswith(SECOND_STEP)
    page = client.get(SECOND_STEP)
    assert "passkeys.js" in page.content.decode()
    return read_options(page)


def test_a_person_adds_a_passkey_and_logs_in_with_it(client: Client, ann: User, passkey: SoftwarePasskey) -> None:
    assert is_logged_in(client)
    assert has_two_factor(ann)
    browser = Client()
    options = give_password(browser)
    assert json.loads(options)["publicKey"]["rpId"] == "testserver"
    assert not is_logged_in(browser)

    assert browser.post(SECOND_STEP, {"credential": passkey.sign(options)})["Location"] == "/"

    assert is_logged_in(browser)
    assert Authenticator.objects.get(type="webauthn").last_used_at is not None
    assert "Blue key" in browser.get(ROOT).content.decode()


def test_an_answer_works_once(passkey: SoftwarePasskey) -> None:
    browser = Client()
    answer = passkey.sign(give_password(browser))
    assert browser.post(SECOND_STEP, {"credential": answer}).status_code == 302
    other = Client()
    give_password(other)
    assert other.post(SECOND_STEP, {"credential": answer}).status_code == 200
    assert not is_logged_in(other)


def test_only_a_passkey_of_the_account_for_this_site_is_accepted(client: Client, passkey: SoftwarePasskey) -> None:
    stranger, fake = SoftwarePasskey(), SoftwarePasskey()
    fake.credential_id = passkey.credential_id
    elsewhere, other_site = SoftwarePasskey(origin="https://evil.example"), SoftwarePasskey(rp_id="evil.example")
    for other in (elsewhere, other_site):
        other._key, other.credential_id = passkey._key, passkey.credential_id
    for attempt, candidate in enumerate((stranger, fake, elsewhere, other_site)):
        browser = Client(REMOTE_ADDR=f"192.0.2.{attempt}")
        page = browser.post(SECOND_STEP, {"credential": candidate.sign(give_password(browser))})
        assert "This passkey was not accepted." in page.content.decode()
        assert not is_logged_in(browser)


def build_answer(**response: str) -> str:
    return json.dumps({"id": "AA", "rawId": "AA", "type": "public-key", "response": response})


@pytest.mark.parametrize(
    "answer",
    [
        *("x", "[]", "{}", "null", '"a"', '{"response": {}}'),
        build_answer(clientDataJSON=""),
        build_answer(clientDataJSON="e30", authenticatorData="AA", signature="AA"),
        build_answer(clientDataJSON="e30", attestationObject="oA"),
        build_answer(clientDataJSON="_w", attestationObject="_w"),
    ],
)
def test_an_answer_that_no_browser_sends_is_refused(client: Client, passkey: SoftwarePasskey, answer: str) -> None:
    browser = Client()
    give_password(browser)
    assert browser.post(SECOND_STEP, {"credential": answer}).status_code == 200
    assert not is_logged_in(browser)
    client.get(f"{ROOT}passkeys/add/")
    page = client.post(f"{ROOT}passkeys/add/", {"name": "Other", "password": PASSWORD, "credential": answer})
    assert "The passkey could not be added." in page.content.decode()
    assert Authenticator.objects.filter(type="webauthn").count() == 1


def test_wrong_passkeys_count_as_failed_logins(passkey: SoftwarePasskey) -> None:
    browser = Client()
    give_password(browser)
    assert [browser.post(SECOND_STEP, {"credential": "{}"}).status_code for _ in range(5)] == [200] * 4 + [429]


def test_a_passkey_needs_its_challenge_and_the_password(client: Client, ann: User) -> None:
    client.force_login(ann)
    wrong = add(client, SoftwarePasskey(), password="wrong")
    assert "Enter your current password." in wrong.content.decode()
    assert "The browser has not made a passkey." in add(client, SoftwarePasskey(), credential="").content.decode()
    answer = SoftwarePasskey().create(read_options(client.get(f"{ROOT}passkeys/add/")))
    client.get(f"{ROOT}passkeys/add/")
    late = client.post(f"{ROOT}passkeys/add/", {"name": "a", "password": PASSWORD, "credential": answer})
    assert "The passkey could not be added." in late.content.decode()
    assert not has_two_factor(ann)


def test_an_account_has_a_limited_number_of_passkeys(client: Client, ann: User, passkey: SoftwarePasskey) -> None:
    row = Authenticator.objects.get(type="webauthn")
    Authenticator.objects.bulk_create(Authenticator(user=ann, type="webauthn", data=row.data) for _ in range(19))
    assert "An account can have 20 passkeys." in add(client, SoftwarePasskey()).content.decode()


def test_a_passkey_is_renamed_and_removed(client: Client, ann: User, passkey: SoftwarePasskey) -> None:
    row = Authenticator.objects.get(type="webauthn")
    path = f"{ROOT}passkeys/{row.pk}/"
    assert 'value="Blue key"' in client.get(f"{path}rename/").content.decode()
    client.post(f"{path}rename/", {"name": "<Red> key"})
    assert "&lt;Red&gt; key" in client.get(ROOT).content.decode()

    other = SoftwarePasskey()
    add(client, other, name="Other")
    page = client.post(f"{path}remove/", {"password": PASSWORD}, follow=True).content.decode()
    assert "The passkey was removed. Your other logins were ended." in page
    assert has_two_factor(ann)
    browser = Client()
    assert browser.post(SECOND_STEP, {"credential": other.sign(give_password(browser))}).status_code == 302


def test_the_last_passkey_takes_the_recovery_codes_with_it(client: Client, ann: User, passkey: SoftwarePasskey) -> None:
    row = Authenticator.objects.get(type="webauthn")
    page = client.post(f"{ROOT}passkeys/{row.pk}/remove/", {"password": PASSWORD}, follow=True).content.decode()
    assert "It was the last, so that two-factor authentication is off" in page
    assert not Authenticator.objects.exists()
    assert is_logged_in(client)


def test_an_app_beside_a_passkey_keeps_the_recovery_codes(client: Client, ann: User, passkey: SoftwarePasskey) -> None:
    before = Authenticator.objects.get(type="recovery_codes").data
    assert turn_on(ann)[1] == []
    assert Authenticator.objects.get(type="recovery_codes").data == before


@pytest.mark.parametrize("action", ["rename", "remove"])
def test_another_users_passkey_is_not_there(client: Client, ann: User, passkey: SoftwarePasskey, action: str) -> None:
    row = Authenticator.objects.get(type="webauthn")
    other = Client()
    other.force_login(User.objects.create_user("bob@example.com", PASSWORD))
    path = f"{ROOT}passkeys/{row.pk}/{action}/"
    assert other.get(path).status_code == 404
    assert other.post(path, {"password": PASSWORD, "name": "Taken"}).status_code == 404
    codes = Authenticator.objects.get(type="recovery_codes")
    assert client.get(f"{ROOT}passkeys/{codes.pk}/{action}/").status_code == 404


def test_the_site_of_a_passkey_is_the_public_one(client: Client, ann: User, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr(settings.ENVIRONMENT, "public_url", "https://films.example.org:8443/")
    client.force_login(ann)
    options = json.loads(read_options(client.get(f"{ROOT}passkeys/add/")))["publicKey"]
    assert options["rp"] == {"id": "films.example.org", "name": "Heimdex"}
    assert options["user"]["name"] == EMAIL
