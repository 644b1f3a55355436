"""An owner's searches are recorded for a while. Only the owner can see, save and delete them."""

import random
from datetime import timedelta
from unittest import mock

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from tests.library import make_user, make_video
from videos.models import RecordedQuery
from videos.search import recorded_queries
from videos.search.recorded_queries import delete_old_queries, list_evaluation_queries, record_query
from videos.tasks import forget_queries

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return make_user()


@pytest.fixture
def api(owner: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(owner)
    return client


def list_texts(api: APIClient) -> list[str]:
    return [query["text"] for query in api.get("/v1/queries").json()["results"]]


def test_a_repeated_search_and_its_further_pages_are_recorded_once(api: APIClient, owner: User) -> None:
    api.get("/v1/search", {"q": "boat"})
    api.get("/v1/search", {"q": " red   car "})
    api.post("/v1/search", {"q": "boat"})
    assert list_texts(api) == ["boat", "red car"]
    for _ in range(2):
        make_video(owner, ["A boat."])
    cursor = api.get("/v1/search", {"q": "boat", "limit": 1}).json()["next_cursor"]
    first = RecordedQuery.objects.get(text="boat").asked_at
    assert api.post("/v1/search", {"q": "boat", "cursor": cursor}).status_code == 200
    assert RecordedQuery.objects.get(text="boat").asked_at == first


def test_the_owner_saves_and_deletes_queries(api: APIClient, owner: User) -> None:
    for text in ("boat", "car", "tree"):
        record_query(owner.pk, text)
    key = RecordedQuery.objects.get(text="car").pk
    answer = api.patch(f"/v1/queries/{key}", {"saved": True, "text": "changed"})
    assert (answer.status_code, answer.json()["saved"], answer.json()["text"]) == (200, True, "car")
    assert [query.text for query in list_evaluation_queries(owner.pk, 2)] == ["car", "tree"]
    assert api.patch(f"/v1/queries/{key}", {"saved": "perhaps"}).json() == {"saved": ["Must be a valid boolean."]}
    assert api.patch(f"/v1/queries/{key}", {"saved": False}).json()["saved"] is False
    assert api.delete(f"/v1/queries/{key}").status_code == 204
    assert list_texts(api) == ["tree", "boat"]
    assert api.delete("/v1/queries").status_code == 204
    assert list_texts(api) == []


def test_nobody_can_access_another_owners_queries(api: APIClient) -> None:
    stranger = make_user("stranger@example.org")
    record_query(stranger.pk, "a secret")
    theirs = RecordedQuery.objects.get()
    assert list_texts(api) == []
    assert api.patch(f"/v1/queries/{theirs.pk}", {"saved": True}).status_code == 404
    assert api.delete(f"/v1/queries/{theirs.pk}").status_code == 404
    api.delete("/v1/queries")
    assert RecordedQuery.objects.get().saved is False
    assert APIClient().get("/v1/queries").status_code == 401


def test_unsaved_queries_are_deleted_after_thirty_days_or_a_thousand_newer_ones(owner: User) -> None:
    other = make_user("other@example.org")
    now = timezone.now()
    for person in (owner, other):
        RecordedQuery.objects.create(owner=person, text="old", asked_at=now - timedelta(days=31))
        RecordedQuery.objects.create(owner=person, text="saved", asked_at=now - timedelta(days=400), saved=True)
    for number in range(4):
        RecordedQuery.objects.create(owner=owner, text=f"recent {number}", asked_at=now - timedelta(days=number))
    assert [query.text for query in list_evaluation_queries(other.pk, 50)] == ["saved"]
    with mock.patch.object(recorded_queries, "MAX_QUERIES", 3):
        assert delete_old_queries() == 3
    assert set(RecordedQuery.objects.filter(owner=owner).values_list("text", flat=True)) == {"saved", "recent 0", "recent 1", "recent 2"}
    assert list(RecordedQuery.objects.filter(owner=other).values_list("text", flat=True)) == ["saved"]
    assert forget_queries() == 0


@pytest.mark.parametrize(("age", "is_kept"), [(timedelta(days=30, minutes=-1), True), (timedelta(days=30, minutes=1), False)])
def test_a_query_is_kept_for_thirty_days(owner: User, age: timedelta, is_kept: bool) -> None:
    RecordedQuery.objects.create(owner=owner, text="boat", asked_at=timezone.now() - age)
    assert bool(list_evaluation_queries(owner.pk, 50)) == is_kept
    assert delete_old_queries() == (0 if is_kept else 1)


def test_a_thousand_queries_are_kept(owner: User) -> None:
    RecordedQuery.objects.bulk_create(RecordedQuery(owner=owner, text=f"boat {number}") for number in range(1001))
    assert delete_old_queries() == 1


@pytest.mark.parametrize(("length", "is_recorded"), [(1000, True), (1001, False)])
def test_a_query_of_a_thousand_characters_is_recorded(owner: User, length: int, is_recorded: bool) -> None:
    record_query(owner.pk, "x" * length)
    assert RecordedQuery.objects.exists() == is_recorded


@pytest.mark.parametrize(("length", "is_recorded"), [(866, True), (867, False), (1000, False)])
def test_a_long_chinese_query_is_answered_and_recorded_if_the_index_can_hold_it(api: APIClient, length: int, is_recorded: bool) -> None:
    # Characters in no order, which cannot be compressed.
    text = "".join(chr(0x4E00 + random.Random(place).randrange(20_000)) for place in range(length))
    assert len(text.encode()) == 3 * length
    assert api.get("/v1/search", {"q": text}).status_code == 200
    assert list_texts(api) == ([text] if is_recorded else [])


def test_empty_and_too_long_queries_are_not_recorded(owner: User) -> None:
    record_query(owner.pk, "  ")
    record_query(owner.pk, "x" * 1001)
    assert not RecordedQuery.objects.exists()
