"""Logging in by token, as a program does."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from tests.heimdex.accounts.conftest import EMAIL, PASSWORD


def _get_pair(api: APIClient) -> dict[str, str]:
    answer = api.post("/v1/auth/token", {"email": EMAIL, "password": PASSWORD})
    assert answer.status_code == 200
    pair: dict[str, str] = answer.json()
    return pair


def _get_account_status(api: APIClient, access: str) -> int:
    return api.get("/v1/auth/me", headers={"Authorization": f"Bearer {access}"}).status_code


def _refresh(api: APIClient, refresh: str) -> int:
    return api.post("/v1/auth/token/refresh", {"refresh": refresh}).status_code


def test_a_refresh_token_works_once(api: APIClient, ann: User) -> None:
    first = _get_pair(api)
    assert _get_account_status(api, first["access"]) == 200

    second = api.post("/v1/auth/token/refresh", {"refresh": first["refresh"]}).json()

    assert second["refresh"] != first["refresh"]
    assert _get_account_status(api, second["access"]) == 200
    assert _refresh(api, first["refresh"]) == 401


def test_a_token_that_is_not_valid_is_explained(api: APIClient, ann: User) -> None:
    refresh = _get_pair(api)["refresh"]
    for token in ("nonsense", refresh):
        answer = api.get("/v1/auth/me", headers={"Authorization": f"Bearer {token}"})
        assert (answer.status_code, list(answer.json())) == (401, ["detail"])
        assert answer.json()["detail"].startswith("The access token has expired or is not valid. Get a new one with POST /v1/auth/token")


def test_a_reused_refresh_token_revokes_its_family_alone(api: APIClient, ann: User) -> None:
    stolen, other = _get_pair(api)["refresh"], _get_pair(api)["refresh"]
    second = api.post("/v1/auth/token/refresh", {"refresh": stolen}).json()["refresh"]
    third = api.post("/v1/auth/token/refresh", {"refresh": second}).json()["refresh"]

    assert _refresh(api, stolen) == 401

    assert _refresh(api, third) == 401
    assert _refresh(api, other) == 200


def test_a_forged_refresh_token_revokes_nothing(api: APIClient, ann: User) -> None:
    token = _get_pair(api)["refresh"]
    assert _refresh(api, token[:-3] + "abc") == 401
    assert _refresh(api, token) == 200


@pytest.mark.django_db(transaction=True)
def test_a_refresh_token_used_twice_concurrently_works_once() -> None:
    User.objects.create_user(EMAIL, PASSWORD)
    token, together = _get_pair(APIClient())["refresh"], Barrier(4)

    def refresh(_: int) -> int:
        together.wait()
        status = _refresh(APIClient(), token)
        connection.close()
        return status

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(refresh, range(4))) == [200, 401, 401, 401]


def test_a_revoked_token_is_rejected(api: APIClient, ann: User) -> None:
    pair = _get_pair(api)

    assert api.post("/v1/auth/token/revoke", {"refresh": pair["refresh"]}).status_code == 204

    assert _refresh(api, pair["refresh"]) == 401
    assert api.post("/v1/auth/token/revoke", {"refresh": pair["refresh"]}).status_code == 401


@pytest.mark.parametrize("change", ["password", "inactive", "deleted"])
def test_tokens_end_when_the_password_or_the_account_changes(api: APIClient, ann: User, change: str) -> None:
    pair = _get_pair(api)

    if change == "password":
        ann.set_password("another long secret")
        ann.save()
    elif change == "inactive":
        User.objects.filter(pk=ann.pk).update(is_active=False)
    else:
        ann.delete()

    assert _get_account_status(api, pair["access"]) == 401
    assert _refresh(api, pair["refresh"]) == 401


def test_an_invalid_token_is_rejected_with_one_sentence(api: APIClient, ann: User) -> None:
    pair = _get_pair(api)

    for header in ("Bearer nonsense", f"Bearer {pair['access'][:-2]}", f"Bearer {pair['refresh']}", "Bearer", "Bearer a b"):
        answer = api.get("/v1/auth/me", headers={"Authorization": header})
        assert answer.status_code == 401
        assert isinstance(answer.json()["detail"], str)
        assert list(answer.json()) == ["detail"]
    assert _refresh(api, pair["access"]) == 401
    assert api.post("/v1/auth/token/refresh", {}).json() == {"refresh": ["This field is required."]}


def test_a_login_updates_last_login(api: APIClient, ann: User) -> None:
    _get_pair(api)

    ann.refresh_from_db()
    assert ann.last_login is not None
