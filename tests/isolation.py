"""The matrix of isolation: two owners, all URLs of the service with the ids of one, and requests of the other."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any
from uuid import UUID

from django.contrib.auth.signals import user_logged_in
from django.db import models, transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.converters import IntConverter, PathConverter, SlugConverter, StringConverter, UUIDConverter
from drf_spectacular.generators import SchemaGenerator

from heimdex.accounts.models import User
from heimdex.accounts.second_step import refuse_password_alone
from people.models import Person
from reprocess.planning.scope import Scope
from reprocess.runs.requests import start_run
from reprocess.runs.worker import run_worker
from tests.library import make_video
from tests.planted import CANARY, filter_by_owner, list_owned_models, plant_owner
from videos.models import Video

METHODS = ("get", "head", "options", "post", "put", "patch", "delete")
ADMIN = "/v1/admin/"
# Django's own admin: every URL asks for a login of staff, whatever its ids (tests/test_admin_isolation.py).
ADMIN_SITE = "/admin/"
ROWS_PER_MODEL = 2
_KINDS = {UUIDConverter: UUID, IntConverter: int, StringConverter: object, PathConverter: object, SlugConverter: str}


@dataclass(frozen=True)
class UrlRoute:
    """One route of the URL configuration: its text with {names}, and the converter of each."""

    text: str
    converters: dict[str, Any]


def iterate_routes() -> Iterator[UrlRoute]:
    """Yield every route of the service but those of the admin site."""
    yield from (route for route in _iterate_all() if not route.text.startswith(ADMIN_SITE))


def iterate_admin_routes() -> Iterator[UrlRoute]:
    """Yield every route of the admin site but the regular expressions, which show the pages of an app or append a slash."""
    yield from (route for route in _iterate_all() if route.text.startswith(ADMIN_SITE) and "(?P" not in route.text)


def _iterate_all(patterns: list[Any] | None = None, before: str = "/", converters: dict[str, Any] | None = None) -> Iterator[UrlRoute]:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        own = {**(converters or {}), **pattern.pattern.converters}
        text = before + str(pattern.pattern).lstrip("^").rstrip("$")
        if isinstance(pattern, URLResolver):
            yield from _iterate_all(pattern.url_patterns, text, own)
        elif isinstance(pattern, URLPattern):
            assert {type(converter) for converter in own.values()} <= set(_KINDS), f"{text}: unknown converter"
            yield UrlRoute(re.sub(r"(?<!\(\?P)<(?:\w+:)?(\w+)>", r"{\1}", text), own)


def create_two_owners() -> tuple[User, User]:
    """Create owner@example.org with one video, and stranger@example.org, whose texts contain the canary, with a row in each owned model."""
    owner = User.objects.create_user("owner@example.org", None)
    other = User.objects.create_user("stranger@example.org", None, name=CANARY)
    make_video(owner, ["A boat at sea."], title="Mine")
    run_worker(start_run(Scope("owner", owner_id=owner.pk), force=False, entry_point="command", requested_by=owner).pk)
    plant_owner(other)
    return owner, other


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
    fit = [
        [value for value in sorted(ids, key=str) if isinstance(value, _KINDS[type(converter)])] for converter in route.converters.values()
    ]
    if len(fit) > 1:
        is_people = route.text.startswith(("/v1/persons/", "/people/"))
        first = set((Person if is_people else Video)._default_manager.filter(pk__in=fit[0]).values_list("pk", flat=True))
        fit[0] = [value for value in fit[0] if value in first]
    for values in product(*fit):
        yield route.text.format_map(dict(zip(route.converters, values, strict=True)))


def as_user(email: str, **fields: object) -> Client:
    """Return a client with a full login, also of an account whose second factor only its owner has."""
    client = Client()
    user_logged_in.disconnect(refuse_password_alone)
    client.force_login(User.objects.get(email=email) if not fields else User.objects.create_user(email, None, **fields))
    user_logged_in.connect(refuse_password_alone)
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


def iterate_operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield method, path and body fields of each endpoint whose body contains an id, according to the OpenAPI schema."""
    schema = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            fields = schema["components"]["schemas"].get(content.get("$ref", "").rsplit("/", 1)[-1], {}).get("properties", {})
            if any(field.get("format") == "uuid" for field in fields.values()):
                yield method, path, fields
