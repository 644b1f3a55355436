"""No URL shows, changes or confirms the data of another owner. The tests read all URLs and models from the project itself."""

import json
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.test import Client

from heimdex.accounts.models import User
from people.models import FaceGroup, Person, PersonPhoto
from reprocess.models import ReprocessFailure
from reprocess.planning.scope import Scope
from reprocess.runs.requests import start_run
from tests.isolation import (
    ADMIN,
    METHODS,
    as_user,
    create_two_owners,
    fill_route,
    has_leak,
    iterate_operations,
    iterate_routes,
    list_ids,
    list_rows,
    read_text,
    sample_ids,
    send,
)
from tests.planted import CANARY
from videos.models import EmbeddingSpace, Job, Scene, SceneEmbedding, Video, VideoMetadata


@pytest.fixture
def other_owner(db: None) -> User:
    """Return an owner whose texts all contain the canary, with a row in each model that has an owner."""
    return create_two_owners()[1]


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
    assert {"/v1/auth/two-factor/passkeys/{pk}/remove", "/accounts/two-factor/passkeys/{passkey_id}/remove/"} <= {
        route.text for route in routes
    }
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
    assert settings.REST_FRAMEWORK["DEFAULT_PERMISSION_CLASSES"] == ["rest_framework.permissions.IsAuthenticated"]
