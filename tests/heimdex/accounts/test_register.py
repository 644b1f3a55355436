"""Registration through the API."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from tests.heimdex.accounts.conftest import EMAIL, PASSWORD

URL = "/v1/auth/register"


@pytest.mark.django_db
def test_a_person_registers(api: APIClient) -> None:
    answer = api.post(URL, {"email": "  Ann@Example.COM", "password": " spaces at both ends ", "name": "Ann"})

    user = User.objects.get(email="ANN@example.com")
    assert answer.status_code == 201
    assert answer.json() == {"id": str(user.pk), "email": EMAIL, "name": "Ann"}
    assert user.password.startswith("argon2")
    assert not user.is_staff
    assert api.post("/v1/auth/login", {"email": EMAIL, "password": " spaces at both ends "}).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"password": PASSWORD}, "email", "required"),
        ({"email": EMAIL}, "password", "required"),
        ({"email": "no address", "password": PASSWORD}, "email", "valid email"),
        ({"email": "a" * 250 + "@example.com", "password": PASSWORD}, "email", "254"),
        ({"email": EMAIL, "password": "short"}, "password", "too short"),
        ({"email": EMAIL, "password": "password123"}, "password", "too common"),
        ({"email": EMAIL, "password": "ann@example.com"}, "password", "too similar"),
        ({"email": EMAIL, "password": PASSWORD, "name": "a\0b"}, "name", "Null characters"),
        ({"email": EMAIL, "password": PASSWORD, "name": "\ud800"}, "name", "Surrogate characters"),
        ({"email": EMAIL, "password": PASSWORD, "name": {}}, "name", "valid string"),
    ],
)
def test_an_invalid_field_is_reported_at_that_field(api: APIClient, body: dict[str, object], field: str, words: str) -> None:
    # Escaped as a program would send it: the test client cannot encode a lone surrogate.
    answer = api.post(URL, json.dumps(body), content_type="application/json")

    assert answer.status_code == 400
    assert list(answer.json()) == [field]
    assert words in " ".join(answer.json()[field])
    assert not User.objects.exists()


def test_an_address_belongs_to_one_account_in_any_spelling(api: APIClient, ann: User) -> None:
    answer = api.post(URL, {"email": "Ann@EXAMPLE.com", "password": PASSWORD})

    assert (answer.status_code, answer.json()) == (400, {"email": ["An account with this e-mail address already exists."]})


@pytest.mark.django_db(transaction=True)
def test_one_of_two_concurrent_registrations_wins() -> None:
    together = Barrier(4)

    def register(_: int) -> tuple[int, list[str]]:
        together.wait()
        answer = APIClient().post(URL, {"email": EMAIL, "password": PASSWORD})
        connection.close()
        return answer.status_code, sorted(answer.json())

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(register, range(4)))

    assert answers == [(201, ["email", "id", "name"]), *[(400, ["email"])] * 3]


@pytest.mark.django_db
@pytest.mark.parametrize("body", ["", "{", "[1]", '"text"', "null", '{"email": NaN}', "[" * 100_000, b"\xff\xfe"])
def test_a_body_other_than_a_json_object_is_a_client_error(api: APIClient, body: str | bytes) -> None:
    answer = api.post(URL, body, content_type="application/json")

    assert answer.status_code == 400
    assert answer.json()


@pytest.mark.django_db
def test_a_page_of_another_site_cannot_send_a_form(api: APIClient) -> None:
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"):
        answer = api.post("/v1/auth/login", f'{{"email": "{EMAIL}", "password": "{PASSWORD}"}}', content_type=kind)
        assert answer.status_code == 415
