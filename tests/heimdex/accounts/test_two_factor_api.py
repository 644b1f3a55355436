"""Second factors by the API: show, set up, renew recovery codes, turn off."""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from heimdex.accounts.two_factor import has_two_factor, verify_code
from tests.heimdex.accounts.conftest import EMAIL, PASSWORD
from tests.heimdex.accounts.second_factors import compute_code, forget_used_codes, plant_passkey, turn_on

ROOT = "/v1/auth/two-factor"


@pytest.fixture
def token(api: APIClient, ann: User) -> APIClient:
    """Return a client with an access token of Ann's."""
    pair = api.post("/v1/auth/token", {"email": EMAIL, "password": PASSWORD}).json()
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {pair['access']}")
    return api


def test_a_program_turns_an_authenticator_app_on_and_off(token: APIClient, ann: User) -> None:
    off: dict[str, Any] = {"is_on": False, "totp": None, "passkeys": [], "recovery_codes_left": 0}
    assert token.get(ROOT).json() == off

    setup = token.post(f"{ROOT}/totp", {"password": PASSWORD}).json()
    assert setup["url"] == f"otpauth://totp/ann%40example.com?secret={setup['secret']}&issuer=Heimdex"
    assert not has_two_factor(ann)
    body = {"setup": setup["setup"], "code": "000000"}
    assert token.post(f"{ROOT}/totp/confirm", body).json()["code"][0].startswith("This code is not valid")
    codes = token.post(f"{ROOT}/totp/confirm", {**body, "code": compute_code(setup["secret"])}).json()["recovery_codes"]

    status = token.get(ROOT).json()
    assert (status["is_on"], status["totp"]["last_used_at"], status["recovery_codes_left"]) == (True, None, 10)
    assert len(codes) == 10
    assert not verify_code(ann, compute_code(setup["secret"])), "the code of the set-up was used"

    assert token.post(f"{ROOT}/disable", {"password": PASSWORD}).json() == {
        "code": ["Enter the code of your authenticator app, or a recovery code."]
    }
    assert token.post(f"{ROOT}/disable", {"password": PASSWORD, "code": codes[0]}).status_code == 204
    assert token.get(ROOT).json() == off
    assert not Authenticator.objects.exists()


@pytest.mark.parametrize("path", ["totp", "recovery-codes", "disable"])
def test_a_change_needs_the_password_and_the_second_factor(token: APIClient, ann: User, path: str) -> None:
    secret, _ = turn_on(ann)
    before = list(Authenticator.objects.values("pk", "type"))
    code = compute_code(secret)
    assert token.post(f"{ROOT}/{path}", {"password": "wrong", "code": code}).json() == {"password": ["Enter your current password."]}
    assert list(token.post(f"{ROOT}/{path}", {"password": PASSWORD}).json()) == ["code"]
    assert list(token.post(f"{ROOT}/{path}", {"password": PASSWORD, "code": "000000"}).json()) == ["code"]
    assert list(Authenticator.objects.values("pk", "type")) == before
    assert token.post(f"{ROOT}/{path}", {"password": PASSWORD, "code": code}).status_code in (200, 204)


def test_new_recovery_codes_replace_the_old_ones(token: APIClient, ann: User) -> None:
    secret, old = turn_on(ann)
    new = token.post(f"{ROOT}/recovery-codes", {"password": PASSWORD, "code": compute_code(secret)}).json()["recovery_codes"]
    assert len(new) == 10
    assert not verify_code(ann, old[0])
    assert verify_code(ann, new[0])
    assert token.get(ROOT).json()["recovery_codes_left"] == 9


def test_there_are_no_recovery_codes_without_a_second_factor(token: APIClient) -> None:
    answer = token.post(f"{ROOT}/recovery-codes", {"password": PASSWORD})
    assert (answer.status_code, answer.json()) == (400, {"detail": "Turn on two-factor authentication first."})


def test_another_app_takes_the_place_of_the_first(token: APIClient, ann: User) -> None:
    old, codes = turn_on(ann)
    setup = token.post(f"{ROOT}/totp", {"password": PASSWORD, "code": compute_code(old)}).json()
    answer = token.post(f"{ROOT}/totp/confirm", {"setup": setup["setup"], "code": compute_code(setup["secret"])})
    assert answer.json() == {"recovery_codes": []}
    forget_used_codes(ann)
    assert not verify_code(ann, compute_code(old))
    assert verify_code(ann, compute_code(setup["secret"]))
    assert verify_code(ann, codes[0])


def test_a_set_up_is_for_one_user_and_must_be_genuine(token: APIClient, ann: User) -> None:
    other = APIClient()
    User.objects.create_user("bob@example.com", PASSWORD)
    pair = other.post("/v1/auth/token", {"email": "bob@example.com", "password": PASSWORD}).json()
    other.credentials(HTTP_AUTHORIZATION=f"Bearer {pair['access']}")
    setup = other.post(f"{ROOT}/totp", {"password": PASSWORD}).json()
    for text in (setup["setup"], setup["setup"][:-4], "nonsense", "ü", "gAAAAA"):
        answer = token.post(f"{ROOT}/totp/confirm", {"setup": text, "code": compute_code(setup["secret"])})
        assert (answer.status_code, answer.json()) == (400, {"setup": ["This set-up has expired. Start again, and scan the new code."]})


def test_changes_are_limited(token: APIClient, settings: Any) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "two_factor": "2/hour"}
    statuses = [token.post(f"{ROOT}/totp", {"password": "guess"}).status_code for _ in range(3)]
    assert statuses == [400, 400, 429]
    assert token.post(f"{ROOT}/totp/confirm", {"setup": "a", "code": "1"}).status_code == 429


def test_wrong_codes_of_a_change_count_as_failed_logins(token: APIClient, ann: User) -> None:
    turn_on(ann)
    body = {"password": PASSWORD, "code": "000000"}
    assert [token.post(f"{ROOT}/disable", body).status_code for _ in range(5)] == [400] * 4 + [429]
    assert token.post("/v1/auth/token", {"email": EMAIL, "password": PASSWORD}).status_code == 429


def test_only_the_own_passkeys_are_shown_and_removed(token: APIClient, ann: User) -> None:
    bob = User.objects.create_user("bob@example.com", PASSWORD)
    theirs, mine = plant_passkey(bob, "Theirs"), plant_passkey(ann, "Mine")
    secret, _ = turn_on(ann)

    assert [(passkey["id"], passkey["name"]) for passkey in token.get(ROOT).json()["passkeys"]] == [(mine.pk, "Mine")]
    proof = {"password": PASSWORD, "code": compute_code(secret)}
    for pk in (theirs.pk, Authenticator.objects.get(user=ann, type="totp").pk, 0):
        assert token.post(f"{ROOT}/passkeys/{pk}/remove", proof).status_code == 404
    assert token.post(f"{ROOT}/passkeys/{mine.pk}/remove", {}).status_code == 400
    assert token.post(f"{ROOT}/passkeys/{mine.pk}/remove", proof).status_code == 204
    assert list(Authenticator.objects.filter(type="webauthn")) == [theirs]
    assert has_two_factor(ann)


def test_the_endpoints_need_a_login(client: Client, db: None) -> None:
    assert client.get(ROOT).status_code == 401
    for path in ("totp", "totp/confirm", "recovery-codes", "disable", "passkeys/1/remove"):
        assert client.post(f"{ROOT}/{path}", {}, content_type="application/json").status_code == 401
