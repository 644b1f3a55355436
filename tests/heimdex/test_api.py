"""Shared behavior of all endpoints, tested on minimal endpoints."""

import json
from collections import Counter
from typing import Any, cast

import pytest
from django.conf import settings
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from rest_framework.fields import CharField, UUIDField
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from heimdex import api_description
from heimdex.accounts.models import User
from heimdex.accounts.serializers import AccountSerializer
from heimdex.api import handle_exception
from heimdex.errors import Refused, WrongState
from tests.library import make_user


class FindByName(APIView):
    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []

    def post(self, request: Request) -> Response:
        return Response({"found": User.objects.filter(name=cast(Any, request.data)["name"]).exists()})


class Accounts(ListAPIView[User]):
    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []
    serializer_class = AccountSerializer
    queryset = User.objects.all()


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["a\0b", "\ud800"])
def test_text_that_the_database_cannot_store_is_a_client_error(name: str) -> None:
    request = APIRequestFactory().post("/", json.dumps({"name": name}), content_type="application/json")

    answer = FindByName.as_view()(request)

    assert (answer.status_code, answer.data) == (400, {"detail": "A value contains characters or numbers that cannot be stored."})


@pytest.mark.parametrize(
    ("error", "status", "body"),
    [
        (WrongState("Not now."), 409, {"detail": "Not now."}),
        (Refused("Too long.", "name"), 400, {"name": ["Too long."]}),
        (Refused("Not allowed."), 400, {"detail": "Not allowed."}),
    ],
)
def test_a_refused_action_becomes_a_client_error(error: Refused, status: int, body: dict[str, Any]) -> None:
    answer = handle_exception(error, {})
    assert answer is not None
    assert (answer.status_code, answer.data) == (status, body)


@pytest.mark.django_db
def test_a_bug_is_not_hidden() -> None:
    with pytest.raises(KeyError):
        FindByName.as_view()(APIRequestFactory().post("/", {}))


def test_an_oversized_body_is_rejected(client: Client, db: None) -> None:
    body = b'{"email": "' + b"a" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE + b'"}'

    answer = client.post("/v1/auth/login", body, content_type="application/json")

    assert answer.status_code == 413
    assert answer.json()["detail"] == "The body is too large. The limit is 2.5\xa0MB."


@pytest.mark.django_db
def test_lists_are_paginated() -> None:
    User.objects.bulk_create(User(email=f"user{number:03}@example.com") for number in range(210))

    def page(query: str) -> Any:
        return Accounts.as_view()(APIRequestFactory().get(f"/?{query}"))

    assert [len(page(query).data["results"]) for query in ("", "page_size=9999", "page_size=3&page=70")] == [50, 200, 3]
    assert page("").data["count"] == 210
    assert page("page_size=200&page=2").data["next"] is None
    assert [page(f"page={wrong}").status_code for wrong in ("9", "0", "x", "9" * 5000)] == [404] * 4


def test_every_operation_has_a_description_of_its_own(client: Client, db: None) -> None:
    schema = client.get("/v1/schema/", headers={"Accept": "application/json"}).json()
    operations = {f"{method} {path}": operation for path, methods in schema["paths"].items() for method, operation in methods.items()}
    described = Counter(operation.get("description") for operation in operations.values())

    assert [label for label, operation in operations.items() if not operation.get("description")] == []
    assert [text for text, times in described.items() if times > 1] == []


def test_the_api_docs_load_nothing_from_other_hosts(client: Client, db: None) -> None:
    schema = client.get("/v1/schema/", headers={"Accept": "application/json"}).json()
    assert {"/v1/auth/register", "/v1/auth/token"} <= set(schema["paths"])
    assert "/v1/schema/" not in schema["paths"]
    docs = client.get("/v1/docs/").content.decode()
    assert "/static/drf_spectacular_sidecar/" in docs
    assert "cdn." not in docs


def test_the_first_answer_with_the_description_has_the_headers_of_later_ones(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_description, "_built", {})
    first, second = (client.get("/v1/schema/").headers for _ in range(2))
    assert first == second
    assert "Accept" in first["Vary"]


def test_the_description_is_built_once_whatever_the_parameters(client: Client, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    first = client.get("/v1/schema/")
    assert first["Content-Type"] == "application/vnd.oai.openapi; charset=utf-8"
    monkeypatch.delattr(SchemaGenerator, "get_schema")
    for query in ("", "?version=2", "?version=%0d%0aX-Other:%201", "?lang=de"):
        again = client.get(f"/v1/schema/{query}")
        assert (again.content, again["Content-Disposition"]) == (first.content, first["Content-Disposition"])


def test_a_list_that_is_too_long_is_refused_before_its_items_are_read(client: Client, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    client.force_login(make_user())
    validated: list[object] = []
    for child in (CharField, UUIDField):
        monkeypatch.setattr(child, "run_validation", lambda self, data: validated.append(data))
    for path, name in (("/v1/search", "person_id"), ("/v1/persons", "aliases")):
        answer = client.post(path, {"q": "boat", "name": "Ann", name: ["x"] * 10_000}, content_type="application/json")
        assert answer.status_code == 400
        assert answer.json()[name] == ["Ensure this field has no more than 20 elements."]
    assert len(validated) < 10
