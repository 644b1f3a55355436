"""Owners save searches under a name, and choose whether their searches are recorded."""

import pytest
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from tests.library import make_user, make_video
from videos.actions.saved_searches import save_search
from videos.api.search_serializers import EMPTY
from videos.models import RecordedQuery, SavedSearch
from videos.search.query_values import DURATION_FIX
from videos.search.recorded_queries import extract_words, record_query

pytestmark = pytest.mark.django_db


def test_a_search_is_saved_repeated_changed_and_deleted(api: APIClient, owner: User) -> None:
    make_video(owner, ["A boat.", "Another boat.", "A car."])
    parameters = {"lang": ["german"], "longer": "10m", "sort": "newest", "mode": "said", "after": "2026-01"}
    created = api.post("/v1/saved-searches", {"name": "Boats", "query": "boat -car", "parameters": parameters}, format="json")
    assert created.status_code == 201, created.json()
    path = f"/v1/saved-searches/{created.json()['id']}"
    saved = api.get(path).json()
    assert saved["query"] == "boat -car"
    assert {name: saved["parameters"][name] for name in parameters} == parameters
    assert api.patch(path, {"parameters": {}}, format="json").json()["parameters"]["lang"] == []
    saved = api.patch(path, {"name": "All boats", "query": "boat"}, format="json").json()
    assert (saved["name"], saved["query"]) == ("All boats", "boat")
    repeated = api.post("/v1/search", {"q": saved["query"], **saved["parameters"], "join": False}, format="json").json()
    assert repeated["total"] == 2
    assert [search["name"] for search in api.get("/v1/saved-searches").json()["results"]] == ["All boats"]
    assert api.delete(path).status_code == 204
    assert not SavedSearch.objects.exists()


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"name": "Boats", "query": "longer:soon"}, {"query": [f"Character 1: 'soon' is no duration. {DURATION_FIX}."]}),
        ({"name": "boats", "query": "boat"}, {"name": ["You already have a saved search named boats."]}),
        ({"name": "b", "query": " ", "parameters": {"sort": "newest"}}, {"query": [EMPTY]}),
        ({"name": "b", "parameters": {"mode": "heard"}}, {"parameters": {"mode": ['"heard" is not a valid choice.']}}),
        ({"name": "b", "parameters": []}, {"parameters": {"detail": "Invalid data. Expected a dictionary, but got list."}}),
    ],
)  # fmt: skip
def test_an_invalid_search_is_not_saved(api: APIClient, owner: User, body: dict[str, object], problem: dict[str, object]) -> None:
    save_search(owner, "Boats", "boat", {})
    answer = api.post("/v1/saved-searches", body, format="json")
    assert answer.status_code == 400
    if "parameters" not in body or body["parameters"]:
        assert answer.json() == problem
    assert SavedSearch.objects.count() == 1


def test_a_saved_search_cannot_be_emptied(api: APIClient, owner: User) -> None:
    path = f"/v1/saved-searches/{save_search(owner, 'German boats', 'boat', {'lang': ['de']}).pk}"
    assert api.patch(path, {"query": ""}, format="json").status_code == 200
    assert api.patch(path, {"parameters": {}}, format="json").json() == {"query": [EMPTY]}
    assert api.patch(path, {"name": "German"}, format="json").json()["parameters"]["lang"] == ["de"]


def test_nobody_reaches_another_owners_saved_searches(api: APIClient) -> None:
    theirs = save_search(make_user("stranger@example.org"), "Secret", "boat", {})
    path = f"/v1/saved-searches/{theirs.pk}"
    assert [api.get(path).status_code, api.patch(path, {"name": "x"}, format="json").status_code, api.delete(path).status_code] == [404] * 3
    assert api.get("/v1/saved-searches").json()["results"] == []


def test_the_history_is_switched_off_and_erased(api: APIClient, owner: User) -> None:
    assert api.get("/v1/search/preferences").json() == {"records_queries": True}
    api.get("/v1/search", {"q": "boat"})
    assert api.put("/v1/search/preferences", {"records_queries": False}).json() == {"records_queries": False}
    assert api.get("/v1/search/preferences").json() == {"records_queries": False}
    api.get("/v1/search", {"q": "car"})
    record_query(make_user("other@example.org").pk, "tree")
    assert set(RecordedQuery.objects.values_list("text", flat=True)) == {"boat", "tree"}
    assert api.delete("/v1/queries").status_code == 204
    assert list(RecordedQuery.objects.values_list("text", flat=True)) == ["tree"]
    api.put("/v1/search/preferences", {"records_queries": True})
    api.get("/v1/search", {"q": "car"})
    assert RecordedQuery.objects.filter(owner=owner, text="car").exists()
    assert api.put("/v1/search/preferences", {}).json() == {"records_queries": ["This field is required."]}


def test_filters_are_recorded_and_evaluated_by_their_words(api: APIClient) -> None:
    api.get("/v1/search", {"q": 'red  boat "at sea" -car tag:dog'})
    text = RecordedQuery.objects.get().text
    assert text == 'red boat "at sea" -car tag:dog'
    assert extract_words(text) == "red boat at sea"
    assert extract_words("boat then:30 car") == "boat car"
    assert extract_words("before:the flood") == "before:the flood"
