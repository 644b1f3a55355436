"""No address shows, changes or admits what another owner has. What is tried is read from the URL configuration and the models."""

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
from reprocess.runs.start_run import start_run
from reprocess.runs.worker import run_worker
from tests.library import make_video
from tests.planted import CANARY, belonging_to, owned_models, plant_owner
from videos.models import EmbeddingSpace, Job, Scene, SceneEmbedding, Video, VideoMetadata

METHODS = ("get", "head", "options", "post", "put", "patch", "delete")
ADMIN = "/v1/admin/"
# The pages of Django's own admin, which only staff can enter; their objects have no owner to ask for.
ADMIN_SITE = "/admin/"


@dataclass(frozen=True)
class Address:
    """One pattern of the URL configuration: its text with {names}, and the converter of each."""

    text: str
    converters: dict[str, Any]


def addresses(patterns: list[Any] | None = None, before: str = "/", converters: dict[str, Any] | None = None) -> Iterator[Address]:
    """Yield every address of the service."""
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        own = {**(converters or {}), **entry.pattern.converters}
        text = before + str(entry.pattern).lstrip("^").rstrip("$")
        if isinstance(entry, URLResolver):
            yield from addresses(entry.url_patterns, text, own)
        elif isinstance(entry, URLPattern) and not text.startswith(ADMIN_SITE):
            for name, converter in own.items():
                for kind in {f"<{name}>", f"<{_name_of(converter)}:{name}>"}:
                    text = text.replace(kind, f"{{{name}}}")
            assert "<" not in text, f"{text}: how is this address filled in?"
            yield Address(text, own)


def _name_of(converter: Any) -> str:
    return {UUIDConverter: "uuid", IntConverter: "int", StringConverter: "str"}[type(converter)]


@pytest.fixture
def stranger(db: None) -> User:
    """An owner whose every text holds the canary, with a row in each model that has an owner."""
    owner = User.objects.create_user("owner@example.org", None)
    stranger = User.objects.create_user("stranger@example.org", None, name=CANARY)
    make_video(owner, ["A boat at sea."], title="Mine")
    run_worker(start_run(Scope("owner", owner_id=owner.pk), force=False, entrance="command", requested_by=owner).pk)
    plant_owner(stranger)
    return stranger


def rows_of(owner: User) -> dict[type[models.Model], list[dict[str, Any]]]:
    """Return all that an owner has."""
    return {model: list(model._default_manager.filter(belonging_to(model, owner)).order_by("pk").values()) for model in owned_models()}


def ids_of(owner: User) -> set[Any]:
    """Return the keys of all that an owner has."""
    return {row[model._meta.pk.attname] for model, rows in rows_of(owner).items() for row in rows} | {owner.pk}


def fitting(address: Address, ids: set[Any]) -> Iterator[str]:
    """Yield the address with each id that it can take; one of two ids, of which the first is a video's or a person's, with each pair."""
    kinds = {UUIDConverter: UUID, IntConverter: int, StringConverter: object}
    fit = [[value for value in sorted(ids, key=str) if isinstance(value, kinds[type(one)])] for one in address.converters.values()]
    if len(fit) > 1:
        of_people = address.text.startswith(("/v1/persons/", "/people/"))
        first = set((Person if of_people else Video)._default_manager.filter(pk__in=fit[0]).values_list("pk", flat=True))
        fit[0] = [value for value in fit[0] if value in first]
    for values in product(*fit):
        yield address.text.format_map(dict(zip(address.converters, values, strict=True)))


def as_user(email: str, **fields: object) -> Client:
    client = Client()
    client.force_login(User.objects.get(email=email) if not fields else User.objects.create_user(email, None, **fields))
    return client


def text_of(answer: Any) -> str:
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return str(content.decode(errors="replace"))


def shows(answer: Any, ids: set[Any], asked: str = "") -> bool:
    """Tell whether an answer holds the canary, or one of the ids that did not stand in what was asked."""
    text = text_of(answer) + json.dumps(dict(answer.headers))
    return CANARY.lower() in text.lower() or any(str(value) in text for value in ids if isinstance(value, UUID) and str(value) not in asked)


def ask(client: Client, method: str, address: str, body: dict[str, Any] | None = None) -> Any:
    """Send a request that leaves nothing behind."""
    with transaction.atomic():
        data = {} if method in ("get", "head") else {"data": body or {}, "content_type": "application/json"}
        answer = getattr(client, method)(address, **data)
        transaction.set_rollback(True)
    return answer


def test_every_model_that_has_an_owner_is_tried(stranger: User) -> None:
    rows = rows_of(stranger)

    assert {Video, Scene, SceneEmbedding, ReprocessFailure, Person, PersonPhoto} < set(rows)
    assert all(rows.values())
    with_words = {model for model, found in rows.items() if CANARY in json.dumps(found, default=str)}
    assert {Video, Scene, Job, VideoMetadata, ReprocessFailure, Person, PersonPhoto} <= with_words


def test_another_owners_ids_are_not_there(stranger: User) -> None:
    ids, before = ids_of(stranger), rows_of(stranger)
    owner, themselves, admin = as_user("owner@example.org"), as_user("stranger@example.org"), as_user("a@example.org", is_staff=True)
    tried = [address for address in addresses() if address.converters]
    assert {"/v1/videos/{pk}", "/v1/videos/{pk}/reprocess", "/videos/{video_id}/"} <= {address.text for address in tried}
    assert {f"/v1/persons/{{pk}}{what}" for what in ("", "/merge", "/photos", "/photos/upload-url")} <= {address.text for address in tried}
    of_photos = {f"/v1/persons/{{pk}}/photos/{{photo_id}}{what}" for what in ("", "/complete", "/retry")}
    assert of_photos | {"/people/{person_id}/", "/people/{person_id}/photos/{photo_id}/remove/"} <= {address.text for address in tried}
    of_runs = ("", "/failures", "/pause", "/resume", "/cancel", "/retry-failed")
    assert {f"{ADMIN}reprocess-runs/{{pk}}{what}" for what in of_runs} <= {address.text for address in tried}
    assert {f"{ADMIN}cutovers/{{pk}}", f"{ADMIN}cutovers/{{pk}}/rollback"} <= {address.text for address in tried}

    for address in tried:
        refused = {403} if address.text.startswith(ADMIN) or address.text == "/v1/files/{token}" else {404}
        who_may = admin if address.text.startswith(ADMIN) else themselves
        reached = set()
        for path in fitting(address, ids):
            for method in METHODS:
                answer = ask(owner, method, path)
                # Which methods an address knows is no secret; all that it does is.
                assert answer.status_code in refused | {405} or method == "options", (method, path, answer.status_code)
                assert not shows(answer, ids, path), (method, path)
                assert "matches the given query" not in text_of(answer), (method, path)
                if answer.status_code not in (403, 405) and ask(who_may, method, path).status_code not in (404, 405):
                    reached.add(method)
        # Had nobody reached anything there, the refusals would prove nothing.
        if refused == {404}:
            assert reached - {"options"}, f"{address.text}: no row of the stranger is reached here, so a refusal proves nothing"
    assert rows_of(stranger) == before


def test_no_list_page_or_search_shows_another_owners_rows(stranger: User) -> None:
    ids = ids_of(stranger)
    owner, themselves = as_user("owner@example.org"), as_user("stranger@example.org")
    asked = Video.objects.filter(owner=stranger).earliest("created_at").pk
    shown = set()
    for address in addresses():
        if address.converters:
            continue
        for query in ("", f"?q={CANARY}", "?q=boat&limit=100", f"?q=boat+at+sea&video_id={asked}"):
            answer = ask(owner, "get", address.text + query)
            # A page may repeat the address that it was asked for.
            assert not shows(answer, ids, query) or (CANARY in query and not shows_beyond_the_query(answer, ids)), address.text + query
            if shows(ask(themselves, "get", address.text + query), ids):
                shown.add(address.text)
    # The stranger sees their own there, so there was something to see.
    assert {"/", "/search/", "/v1/videos", "/v1/search", "/v1/persons", "/people/"} <= shown


def shows_beyond_the_query(answer: Any, ids: set[Any]) -> bool:
    """Tell whether an answer shows more of another owner than the word that was asked for, which a page may repeat."""
    text = text_of(answer)
    return any(str(value) in text for value in ids if isinstance(value, UUID)) or f"{CANARY} title" in text or f"<mark>{CANARY}" in text


def test_a_run_over_everybody_shows_each_owner_their_own_part_alone(stranger: User) -> None:
    owner = User.objects.get(email="owner@example.org")
    mine = Video.objects.get(owner=owner)
    run = start_run(Scope("all"), force=True, entrance="command", requested_by=None)
    assert set(run.items.values_list("owner", flat=True)) == {owner.pk, stranger.pk}
    for video, error in ((mine, "My own failure"), *((video, CANARY) for video in Video.objects.filter(owner=stranger))):
        ReprocessFailure.objects.create(run=run, owner_id=video.owner_id, video=video, step="scene_text", channel="visual", error=error)
    hidden, client = ids_of(stranger) | {run.pk}, as_user("owner@example.org")

    state = ask(client, "get", f"/v1/videos/{mine.pk}/reprocess")
    assert state.status_code == 200
    assert {step["scenes"] for step in state.json()["steps"]} == {1}
    for answer in (state, ask(client, "post", f"/v1/videos/{mine.pk}/reprocess"), ask(client, "get", f"/videos/{mine.pk}/")):
        assert answer.status_code in (200, 202)
        assert not shows(answer, hidden)
    for what in ("reprocess-embeddings/plan", "reprocess-embeddings"):
        for body in ({"scope": "all"}, {"scope": "owner", "owner_id": str(stranger.pk)}, {"scope": "owner", "owner_id": str(owner.pk)}):
            assert ask(client, "post", ADMIN + what, body).status_code == 403
    assert ask(client, "get", f"{ADMIN}reprocess-runs").status_code == ask(client, "get", f"{ADMIN}cutovers").status_code == 403


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield method, address and a body for each endpoint that takes an id in its body, as the API describes itself."""
    schema = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            fields = schema["components"]["schemas"].get(content.get("$ref", "").rsplit("/", 1)[-1], {}).get("properties", {})
            if any(field.get("format") == "uuid" for field in fields.values()):
                yield method, path, fields


def test_another_owners_ids_in_a_body_are_not_there(stranger: User) -> None:
    ids, before = ids_of(stranger), rows_of(stranger)
    owner = as_user("owner@example.org")
    user = User.objects.get(email="owner@example.org")
    mine = Person.objects.create(owner=user, name="Mine")
    group = FaceGroup.objects.create(owner=user, space=EmbeddingSpace.objects.earliest("created_at"), size=1, vector=[1.0])
    found = list(operations())
    with_ids = {
        "/v1/videos/upload/complete",
        "/v1/search",
        "/v1/admin/reprocess-embeddings",
        "/v1/persons/{id}/merge",
        "/v1/faces/groups/{group_id}/name",
    }
    assert with_ids <= {path for _, path, _ in found}

    for method, path, fields in found:
        for value in ids:
            body: dict[str, Any] = {name: str(value) for name, field in fields.items() if field.get("format") == "uuid"}
            body |= {"q": "boat"} if "q" in fields else {}
            address = path.replace("/persons/{id}", f"/persons/{mine.pk}").replace("{group_id}", str(group.pk))
            answer = ask(owner, method, address, body)
            assert answer.status_code in ({403} if path.startswith(ADMIN) else {200, 400, 404}), (path, body)
            assert not shows(answer, ids), (path, body)
    assert rows_of(stranger) == before


def test_whoever_is_not_logged_in_sees_nothing(stranger: User) -> None:
    ids, anybody = ids_of(stranger), Client()
    for address in addresses():
        for path in fitting(address, ids) if address.converters else [address.text]:
            answer = ask(anybody, "get", path)
            assert not shows(answer, ids, path), path
            if path.startswith(("/v1/videos", "/v1/persons", ADMIN)):
                assert answer.status_code in (401, 405), path


@pytest.mark.django_db
def test_the_admin_site_is_closed_to_owners() -> None:
    owner = as_user("owner@example.org", name="Owner")
    for model in owned_models():
        answer = owner.get(f"{ADMIN_SITE}{model._meta.app_label}/{model._meta.model_name}/")
        assert answer.status_code in (302, 404)
        assert answer.status_code == 404 or answer["Location"].startswith(f"{ADMIN_SITE}login/")
    assert settings.REST_FRAMEWORK["DEFAULT_PERMISSION_CLASSES"] == ["rest_framework.permissions.IsAuthenticated"]
