"""No URL shows, changes or confirms the data of another owner. The tests read all URLs and models from the project itself."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db import models, transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.converters import IntConverter, StringConverter, UUIDConverter
from drf_spectacular.generators import SchemaGenerator

from heimdex.accounts.models import User
from people.models import FaceGroup, Person, PersonPhoto
from reprocess.models import ReprocessFailure
from reprocess.planning.scope import Scope
from reprocess.runs.requests import start_run
from reprocess.runs.worker import run_worker
from tests.library import make_video
from tests.planted import CANARY, filter_by_owner, list_owned_models, plant_owner
from videos.models import EmbeddingSpace, Job, Scene, SceneEmbedding, Video, VideoMetadata

METHODS = ("get", "head", "options", "post", "put", "patch", "delete")
ADMIN = "/v1/admin/"
# Django's own admin, which only staff can enter; its objects have no owner to check.
ADMIN_SITE = "/admin/"
ROWS_PER_MODEL = 2


@dataclass(frozen=True)
class UrlRoute:
    """One route of the URL configuration: its text with {names}, and the converter of each."""

    text: str
    converters: dict[str, Any]


def iterate_routes(patterns: list[Any] | None = None, before: str = "/", converters: dict[str, Any] | None = None) -> Iterator[UrlRoute]:
    """Yield every route of the service."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        own = {**(converters or {}), **pattern.pattern.converters}
        text = before + str(pattern.pattern).lstrip("^").rstrip("$")
        if isinstance(pattern, URLResolver):
            yield from iterate_routes(pattern.url_patterns, text, own)
        elif isinstance(pattern, URLPattern) and not text.startswith(ADMIN_SITE):
            for name, converter in own.items():
                for kind in {f"<{name}>", f"<{_name_of(converter)}:{name}>"}:
                    text = text.replace(kind, f"{{{name}}}")
            assert "<" not in text, f"{text}: unknown converter"
            yield UrlRoute(text, own)


def _name_of(converter: Any) -> str:
    return {UUIDConverter: "uuid", IntConverter: "int", StringConverter: "str"}[type(converter)]


@pytest.fixture
def other_owner(db: None) -> User:
    """Return an owner whose texts all contain the canary, with a row in each model that has an owner."""
    owner = User.objects.create_user("owner@example.org", None)
    other = User.objects.create_user("stranger@example.org", None, name=CANARY)
    make_video(owner, ["A boat at sea."], title="Mine")
    run_worker(start_run(Scope("owner", owner_id=owner.pk), force=False, entry_point="command", requested_by=owner).pk)
    plant_owner(other)
    return other


def list_rows(owner: User) -> dict[type[models.Model], list[dict[str, Any]]]:
    """Return all rows of an owner."""
    return {
        model: list(model._default_manager.filter(filter_by_owner(model, owner)).order_by("pk").values()) for model in list_owned_models()
    }


def list_ids(owner: User) -> set[Any]:
    """Return the primary keys of all rows of an owner."""
    return {row[model._meta.pk.attname] for model, rows in list_rows(owner).items() for row in rows} | {owner.pk}


def sample_ids(owner: User) -> set[Any]:
    """Return the primary keys of the first rows of each model: a URL treats all rows of a model alike."""
    first_rows = ((model, rows[:ROWS_PER_MODEL]) for model, rows in list_rows(owner).items())
    return {row[model._meta.pk.attname] for model, rows in first_rows for row in rows} | {owner.pk}


def fill_route(route: UrlRoute, ids: set[Any]) -> Iterator[str]:
    """Yield the route's URL for each id that fits, or each pair of ids, of which the first is a video's or a person's."""
    kinds = {UUIDConverter: UUID, IntConverter: int, StringConverter: object}
    fit = [
        [value for value in sorted(ids, key=str) if isinstance(value, kinds[type(converter)])] for converter in route.converters.values()
    ]
    if len(fit) > 1:
        is_people = route.text.startswith(("/v1/persons/", "/people/"))
        first = set((Person if is_people else Video)._default_manager.filter(pk__in=fit[0]).values_list("pk", flat=True))
        fit[0] = [value for value in fit[0] if value in first]
    for values in product(*fit):
        yield route.text.format_map(dict(zip(route.converters, values, strict=True)))


def as_user(email: str, **fields: object) -> Client:
    client = Client()
    client.force_login(User.objects.get(email=email) if not fields else User.objects.create_user(email, None, **fields))
    return client


def read_text(response: Any) -> str:
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return str(content.decode(errors="replace"))


def has_leak(response: Any, ids: set[Any], requested: str = "") -> bool:
    """Return whether a response contains the canary, or one of the ids that was not part of the request."""
    text = read_text(response) + json.dumps(dict(response.headers))
    return CANARY.lower() in text.lower() or any(
        str(value) in text for value in ids if isinstance(value, UUID) and str(value) not in requested
    )


def send(client: Client, method: str, url: str, body: dict[str, Any] | None = None) -> Any:
    """Send a request and roll back its changes."""
    with transaction.atomic():
        data = {} if method in ("get", "head") else {"data": body or {}, "content_type": "application/json"}
        response = getattr(client, method)(url, **data)
        transaction.set_rollback(True)
    return response


def test_every_model_with_an_owner_is_tested(other_owner: User) -> None:
    rows = list_rows(other_owner)

    assert {Video, Scene, SceneEmbedding, ReprocessFailure, Person, PersonPhoto} < set(rows)
    assert all(rows.values())
    with_texts = {model for model, values in rows.items() if CANARY in json.dumps(values, default=str)}
    assert {Video, Scene, Job, VideoMetadata, ReprocessFailure, Person, PersonPhoto} <= with_texts


def test_another_owners_ids_are_not_found(other_owner: User) -> None:
    ids, sample, before = list_ids(other_owner), sample_ids(other_owner), list_rows(other_owner)
    owner, themselves, admin = as_user("owner@example.org"), as_user("stranger@example.org"), as_user("a@example.org", is_staff=True)
    routes = [route for route in iterate_routes() if route.converters]
    assert {"/v1/videos/{pk}", "/v1/videos/{pk}/reprocess", "/videos/{video_id}/"} <= {route.text for route in routes}
    assert {f"/v1/persons/{{pk}}{suffix}" for suffix in ("", "/merge", "/photos", "/photos/upload-url")} <= {route.text for route in routes}
    photo_routes = {f"/v1/persons/{{pk}}/photos/{{photo_id}}{suffix}" for suffix in ("", "/complete", "/retry")}
    assert photo_routes | {"/people/{person_id}/", "/people/{person_id}/photos/{photo_id}/remove/"} <= {route.text for route in routes}
    run_routes = ("", "/failures", "/pause", "/resume", "/cancel", "/retry-failed")
    assert {f"{ADMIN}reprocess-runs/{{pk}}{suffix}" for suffix in run_routes} <= {route.text for route in routes}
    assert {f"{ADMIN}cutovers/{{pk}}", f"{ADMIN}cutovers/{{pk}}/rollback"} <= {route.text for route in routes}

    for route in routes:
        rejected = {403} if route.text.startswith(ADMIN) or route.text == "/v1/files/{token}" else {404}
        authorized = admin if route.text.startswith(ADMIN) else themselves
        reached = set()
        # A method that a URL does not have is refused whatever the id: it is sent to the first id only.
        methods: tuple[str, ...] = METHODS
        for path in fill_route(route, sample):
            responses = {method: send(owner, method, path) for method in methods}
            methods = tuple(method for method in methods if responses[method].status_code != 405)
            for method, response in responses.items():
                # The methods of a URL are not secret; everything else is.
                assert response.status_code in rejected | {405} or method == "options", (method, path, response.status_code)
                assert not has_leak(response, ids, path), (method, path)
                assert "matches the given query" not in read_text(response), (method, path)
                if response.status_code not in (403, 405) and send(authorized, method, path).status_code not in (404, 405):
                    reached.add(method)
        # If even the authorized user reaches nothing here, the rejections prove nothing.
        if rejected == {404}:
            assert reached - {"options"}, f"{route.text}: no row of the other owner is reached here, so a rejection proves nothing"
    assert list_rows(other_owner) == before


def test_no_list_page_or_search_shows_another_owners_rows(other_owner: User) -> None:
    ids = list_ids(other_owner)
    owner, themselves = as_user("owner@example.org"), as_user("stranger@example.org")
    video_id = Video.objects.filter(owner=other_owner).earliest("created_at").pk
    shown = set()
    for route in iterate_routes():
        if route.converters:
            continue
        for query in ("", f"?q={CANARY}", "?q=boat&limit=100", f"?q=boat+at+sea&video_id={video_id}"):
            response = send(owner, "get", route.text + query)
            # A page may repeat the requested URL.
            assert not has_leak(response, ids, query) or (CANARY in query and not has_leak_beyond_query(response, ids)), route.text + query
            if has_leak(send(themselves, "get", route.text + query), ids):
                shown.add(route.text)
    # The other owner sees their own rows there, so there is something to leak.
    assert {"/", "/search/", "/v1/videos", "/v1/search", "/v1/persons", "/people/"} <= shown


def has_leak_beyond_query(response: Any, ids: set[Any]) -> bool:
    """Return whether a response contains more of another owner than the query, which a page may repeat."""
    text = read_text(response)
    return any(str(value) in text for value in ids if isinstance(value, UUID)) or f"{CANARY} title" in text or f"<mark>{CANARY}" in text


def test_a_run_over_all_owners_shows_each_owner_only_their_own_part(other_owner: User) -> None:
    owner = User.objects.get(email="owner@example.org")
    mine = Video.objects.get(owner=owner)
    run = start_run(Scope("all"), force=True, entry_point="command", requested_by=None)
    assert set(run.items.values_list("owner", flat=True)) == {owner.pk, other_owner.pk}
    for video, error in ((mine, "My own failure"), *((video, CANARY) for video in Video.objects.filter(owner=other_owner))):
        ReprocessFailure.objects.create(run=run, owner_id=video.owner_id, video=video, step="scene_text", channel="visual", error=error)
    hidden, client = list_ids(other_owner) | {run.pk}, as_user("owner@example.org")

    state = send(client, "get", f"/v1/videos/{mine.pk}/reprocess")
    assert state.status_code == 200
    assert {step["scenes"] for step in state.json()["steps"]} == {1}
    for response in (state, send(client, "post", f"/v1/videos/{mine.pk}/reprocess"), send(client, "get", f"/videos/{mine.pk}/")):
        assert response.status_code in (200, 202)
        assert not has_leak(response, hidden)
    for suffix in ("reprocess-embeddings/plan", "reprocess-embeddings"):
        for body in ({"scope": "all"}, {"scope": "owner", "owner_id": str(other_owner.pk)}, {"scope": "owner", "owner_id": str(owner.pk)}):
            assert send(client, "post", ADMIN + suffix, body).status_code == 403
    assert send(client, "get", f"{ADMIN}reprocess-runs").status_code == send(client, "get", f"{ADMIN}cutovers").status_code == 403


def iterate_operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield method, path and body fields of each endpoint whose body contains an id, according to the OpenAPI schema."""
    schema = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            fields = schema["components"]["schemas"].get(content.get("$ref", "").rsplit("/", 1)[-1], {}).get("properties", {})
            if any(field.get("format") == "uuid" for field in fields.values()):
                yield method, path, fields


def test_another_owners_ids_in_a_body_are_not_found(other_owner: User) -> None:
    ids, before = list_ids(other_owner), list_rows(other_owner)
    owner = as_user("owner@example.org")
    user = User.objects.get(email="owner@example.org")
    mine = Person.objects.create(owner=user, name="Mine")
    group = FaceGroup.objects.create(owner=user, space=EmbeddingSpace.objects.earliest("created_at"), size=1, vector=[1.0])
    endpoints = list(iterate_operations())
    with_ids = {
        "/v1/videos/upload/complete",
        "/v1/search",
        "/v1/admin/reprocess-embeddings",
        "/v1/persons/{id}/merge",
        "/v1/faces/groups/{group_id}/name",
    }
    assert with_ids <= {path for _, path, _ in endpoints}

    for method, path, fields in endpoints:
        for value in sample_ids(other_owner):
            body: dict[str, Any] = {name: str(value) for name, field in fields.items() if field.get("format") == "uuid"}
            body |= {"q": "boat"} if "q" in fields else {}
            url = path.replace("/persons/{id}", f"/persons/{mine.pk}").replace("{group_id}", str(group.pk))
            response = send(owner, method, url, body)
            assert response.status_code in ({403} if path.startswith(ADMIN) else {200, 400, 404}), (path, body)
            assert not has_leak(response, ids), (path, body)
    assert list_rows(other_owner) == before


def test_anonymous_requests_see_nothing(other_owner: User) -> None:
    ids, sample, anonymous = list_ids(other_owner), sample_ids(other_owner), Client()
    for route in iterate_routes():
        for path in fill_route(route, sample) if route.converters else [route.text]:
            response = send(anonymous, "get", path)
            assert not has_leak(response, ids, path), path
            if path.startswith(("/v1/videos", "/v1/persons", ADMIN)):
                assert response.status_code in (401, 405), path


@pytest.mark.django_db
def test_the_admin_site_is_closed_to_owners() -> None:
    owner = as_user("owner@example.org", name="Owner")
    for model in list_owned_models():
        response = owner.get(f"{ADMIN_SITE}{model._meta.app_label}/{model._meta.model_name}/")
        assert response.status_code in (302, 404)
        assert response.status_code == 404 or response["Location"].startswith(f"{ADMIN_SITE}login/")
    assert settings.REST_FRAMEWORK["DEFAULT_PERMISSION_CLASSES"] == ["rest_framework.permissions.IsAuthenticated"]
