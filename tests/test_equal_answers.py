"""An answer tells nothing about other owners: neither whether they exist, nor whether an id is theirs."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client

from heimdex.accounts.models import User
from tests.isolation import ADMIN, METHODS, UrlRoute, as_user, iterate_operations, iterate_routes, list_rows, read_text, send
from tests.planted import CANARY, find_ids, plant_owner

# What differs between two answers to the same request: signatures, CSRF tokens, challenges, ids of requests, durations and times.
VARYING = [
    (re.compile(r"/v1/files/[\w.:-]+"), "/v1/files/TOKEN"),
    (re.compile(r'(csrfmiddlewaretoken" value=")\w+'), r"\1TOKEN"),
    (re.compile(r"(challenge&quot;: &quot;)[\w-]+"), r"\1TOKEN"),
    (re.compile(r'("took_ms": ?)[\d.]+'), r"\1 0"),
    # It holds the time of its answer.
    (re.compile(r'(cursor(?:": ?"|=))[\w%:.-]+'), r"\1CURSOR"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[\d.]*(Z|[+-]\d\d:\d\d)"), "TIME"),
]
VARYING_HEADERS = {"x-request-id", "set-cookie", "content-length", "expires"}
QUERIES = ("", "?q=boat", f"?q={CANARY}", f"?q=%40{CANARY}+boat", "?q=boat&limit=1", "?q=b", "?page_size=1", "?page=2")


def describe(response: Any, ids: dict[Any, str] | None = None) -> tuple[int, dict[str, str], str]:
    """Return status, headers and body of an answer without what varies, and with names instead of the given ids."""
    text = read_text(response)
    for pattern, replacement in VARYING:
        text = pattern.sub(replacement, text)
    headers = {name: value for name, value in response.headers.items() if name.lower() not in VARYING_HEADERS}
    for value, name in (ids or {}).items():
        # A number inside another number is no id.
        pattern = re.compile(rf"(?<!\d){value}(?!\d)")
        text = pattern.sub(name, text)
        headers = {header: pattern.sub(name, content) for header, content in headers.items()}
    return response.status_code, headers, text


def fill(route: UrlRoute, ids: dict[str, Any]) -> str | None:
    """Return the URL of a route with ids by the path segment before each, or None where a segment has none."""
    words = route.text.strip("/").split("/")
    values = {word.strip("{}"): ids[before] for before, word in pairwise(words) if before in ids and word.startswith("{")}
    return route.text.format_map(values) if set(values) == set(route.converters) else None


def iterate_urls(ids: dict[str, Any]) -> Iterator[str]:
    """Yield the URL of every route with the given ids, and of every list and search with queries."""
    for route in iterate_routes():
        url = fill(route, ids)
        if url is not None:
            yield from (url + query for query in (QUERIES if not route.converters else QUERIES[:1]))


def collect_answers(client: Client, ids: dict[str, Any]) -> dict[str, tuple[int, dict[str, str], str]]:
    """Return the answer to every URL."""
    return {url: describe(send(client, "get", url)) for url in iterate_urls(ids)}


@pytest.mark.django_db
def test_answers_are_the_same_whether_or_not_another_owner_has_similar_data() -> None:
    owner = User.objects.create_user("owner@example.org", None)
    video = plant_owner(owner)
    ids, client = find_ids(owner, video), as_user("owner@example.org")
    before = collect_answers(client, ids)
    assert {url for url, answer in before.items() if CANARY in answer[2]} > {
        "/",
        "/?q=boat",
        "/search/?q=boat",
        "/v1/search?q=boat",
        "/people/",
    }

    for number in range(2):
        plant_owner(User.objects.create_user(f"stranger{number}@example.org", None, name=CANARY))
    for url, answer in collect_answers(client, ids).items():
        assert answer == before[url], url


@pytest.mark.django_db
def test_an_id_of_another_owner_is_answered_like_one_that_does_not_exist() -> None:
    owner, other = (User.objects.create_user(f"{name}@example.org", None) for name in ("owner", "stranger"))
    mine, theirs = find_ids(owner, plant_owner(owner)), find_ids(other, plant_owner(other))
    absent: dict[str, Any] = {word: uuid4() if isinstance(value, UUID) else 10**6 for word, value in theirs.items()}
    client, rows = as_user("owner@example.org"), list_rows(other)
    compared = set()
    for route in iterate_routes():
        if not route.converters or fill(route, theirs) is None or route.text.startswith(ADMIN):
            continue
        # Their ids below an object of theirs and, in nested routes, below one of mine.
        first = route.text.strip("/").removeprefix("v1/").split("/")[0]
        nested = [{first: mine[first]}] if len(route.converters) > 1 else []
        for method in METHODS:
            for own in [{}, *nested]:
                answers = [
                    describe(send(client, method, str(fill(route, {**ids, **own}))), dict.fromkeys(ids.values(), "ID"))
                    for ids in (theirs, absent)
                ]
                assert answers[0] == answers[1], (method, route.text)
                compared.add((method, route.text, answers[0][0]))
    assert {("get", "/v1/videos/{pk}", 404), ("post", "/people/{person_id}/merge/", 404), ("patch", "/v1/persons/{pk}", 404)} <= compared
    assert list_rows(other) == rows


@pytest.mark.django_db
def test_an_id_of_another_owner_in_a_body_or_query_is_answered_like_one_that_does_not_exist() -> None:
    owner, other = (User.objects.create_user(f"{name}@example.org", None) for name in ("owner", "stranger"))
    mine, theirs = find_ids(owner, plant_owner(owner)), find_ids(other, plant_owner(other))
    client = as_user("owner@example.org")
    for method, path, fields in iterate_operations():
        url = path.replace("{id}", str(mine["persons"])).replace("{group_id}", str(mine["groups"]))
        for value in {pk for pk in theirs.values() if isinstance(pk, UUID)}:
            answers = []
            for pk in (value, uuid4()):
                body = {name: str(pk) for name, field in fields.items() if field.get("format") == "uuid"} | (
                    {"q": "boat"} if "q" in fields else {}
                )
                answers.append(describe(send(client, method, url, body), {pk: "ID"}))
            assert answers[0] == answers[1], (method, path)
    for url in (
        "/v1/search?q=boat&person_id={}",
        "/v1/search?q=boat&video_id={}",
        "/search/?q=boat&person={}",
        "/?person={}",
        "/v1/videos?person_id={}",
    ):
        for word in ("persons", "videos"):
            answers = [describe(send(client, "get", url.format(pk)), {pk: "ID"}) for pk in (theirs[word], uuid4())]
            assert answers[0] == answers[1], url
