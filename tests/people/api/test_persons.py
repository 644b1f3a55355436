"""People over HTTP."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest import mock
from uuid import uuid4

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from heimdex.storage import get_media_storage
from people.input_hashes import hash_query
from people.models import Person, PersonPhoto
from people.names import MAX_ALIASES, MAX_NAME_LENGTH
from tests.library import get_stored_hash
from tests.people.conftest import make_photo, pop_wake_ups

PERSONS = "/v1/persons"


def list_names(api: APIClient, query: str = "") -> list[str]:
    return [person["name"] for person in api.get(f"{PERSONS}{query}").json()["results"]]


def test_a_person_is_added_shown_changed_and_deleted(api: APIClient, owner: User, woken: mock.Mock) -> None:
    added = api.post(PERSONS, {"name": "  Grace \t Hopper ", "aliases": ["Amazing Grace", "amazing grace", "grace hopper"]})

    assert added.status_code == 201
    shown = added.json()
    assert (shown["name"], shown["aliases"], shown["status"], shown["archived"]) == (
        "Grace Hopper",
        ["Amazing Grace"],
        "needs_photos",
        False,
    )
    assert (shown["photo_count"], shown["ready_photo_count"], shown["failed_photo_count"], shown["thumbnail_url"]) == (0, 0, 0, "")
    url = f"{PERSONS}/{shown['id']}"
    assert api.get(url).json() == shown

    changed = api.patch(url, {"name": "Grace", "aliases": []})
    assert (changed.status_code, changed.json()["name"], changed.json()["aliases"]) == (200, "Grace", [])
    assert api.patch(url, {"aliases": ["Mum"]}).json()["name"] == "Grace"
    # Only capitals change: the name is hers.
    assert api.patch(url, {"name": "GRACE"}).json()["name"] == "GRACE"
    assert pop_wake_ups(woken) == []

    assert api.delete(url).status_code == 204
    assert [api.get(url).status_code, api.delete(url).status_code] == [404, 404]
    assert pop_wake_ups(woken) == [str(owner.pk)]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "  \u200b "}, "name"),
        ({"name": "!?"}, "name"),
        ({"name": "nul\0"}, "name"),
        ({"name": "n" * (MAX_NAME_LENGTH + 1)}, "name"),
        ({"name": None}, "name"),
        ({"name": ["Ada"]}, "name"),
        ({"name": "ADA"}, "name"),
        ({"name": "Bob", "aliases": [""]}, "aliases"),
        ({"name": "Bob", "aliases": ["?"]}, "aliases"),
        ({"name": "Bob", "aliases": "Bobby"}, "aliases"),
        ({"name": "Bob", "aliases": [f"Bob {number}" for number in range(MAX_ALIASES + 1)]}, "aliases"),
    ],
)
def test_an_invalid_person_is_reported_by_field(api: APIClient, ada: Person, body: dict[str, Any], field: str) -> None:
    answer = api.post(PERSONS, body)

    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert list(Person.objects.all()) == [ada]
    if "name" in body and body["name"] != "ADA":
        assert api.patch(f"{PERSONS}/{ada.pk}", body).status_code == 400


@pytest.mark.parametrize("name", ["François", "李四", "محمد", "O'Neil-Smith Jr.", "می‌خواهم", "Jean\u00a0Luc", "R2-D2"])
def test_names_in_any_language_are_accepted(api: APIClient, name: str) -> None:
    assert api.post(PERSONS, {"name": name}).json()["name"] == name.replace("\u00a0", " ")


def test_a_name_is_unique_per_owner(api: APIClient, ada: Person, stranger: User) -> None:
    Person.objects.create(owner=stranger, name="Bob")
    answer = api.post(PERSONS, {"name": "aDA"})
    assert answer.json() == {"name": ["You already have a person named Ada."]}

    bob = api.post(PERSONS, {"name": "Bob"})
    assert bob.status_code == 201
    assert api.patch(f"{PERSONS}/{bob.json()['id']}", {"name": "ada"}).status_code == 400


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"name": "COUNTESS"}, {"name": ["Ada already has the other name COUNTESS. Choose a different name."]}),
        ({"name": "Bob", "aliases": ["ada"]}, {"aliases": ["You already have a person named Ada."]}),
        ({"name": "Bob", "aliases": ["B", "countess"]}, {"aliases": ["Ada already has the other name countess. Choose a different name."]}),
    ],
)
def test_nobody_takes_over_a_name_of_somebody_else(api: APIClient, ada: Person, body: dict[str, Any], expected: dict[str, Any]) -> None:
    answer = api.post(PERSONS, body)
    assert (answer.status_code, answer.json()) == (400, expected)

    carl = api.post(PERSONS, {"name": "Carl"}).json()["id"]
    changed = api.patch(f"{PERSONS}/{carl}", body)
    assert (changed.status_code, changed.json()) == (400, expected)
    # The names of an archived person are free until the person is restored.
    api.patch(f"{PERSONS}/{ada.pk}", {"archived": True})
    assert api.patch(f"{PERSONS}/{carl}", body).status_code == 200
    restored = api.patch(f"{PERSONS}/{ada.pk}", {"archived": False})
    assert (restored.status_code, list(restored.json())) == (400, ["archived"])
    assert f"Meanwhile, {body['name']} has the name" in restored.json()["archived"][0]
    assert api.get(f"{PERSONS}/{ada.pk}").json()["archived"] is True


def test_people_of_other_owners_may_have_the_same_names(api: APIClient, ada: Person, stranger: User) -> None:
    Person.objects.create(owner=stranger, name="Eve", aliases=["Eva"])
    assert api.post(PERSONS, {"name": "Eva", "aliases": ["eve"]}).status_code == 201


def test_people_who_already_share_a_name_can_still_be_changed(api: APIClient, owner: User, ada: Person) -> None:
    other = Person.objects.create(owner=owner, name="Countess", aliases=["ADA"])
    shown = api.patch(f"{PERSONS}/{other.pk}", {"name": "countess", "aliases": ["Ada", "Augusta"]})
    assert (shown.status_code, shown.json()["aliases"]) == (200, ["Ada", "Augusta"])
    # Once given up, the name is taken.
    assert api.patch(f"{PERSONS}/{other.pk}", {"aliases": []}).status_code == 200
    assert api.patch(f"{PERSONS}/{other.pk}", {"aliases": ["Ada"]}).status_code == 400


def test_photos_determine_the_status_of_a_person(api: APIClient, ada: Person) -> None:
    def get_status() -> tuple[object, ...]:
        shown = api.get(f"{PERSONS}/{ada.pk}").json()
        return shown["status"], shown["photo_count"], shown["ready_photo_count"], shown["failed_photo_count"], bool(shown["thumbnail_url"])

    make_photo(ada, PersonPhoto.State.UPLOADING)
    assert get_status() == ("needs_photos", 0, 0, 0, False)
    make_photo(ada, PersonPhoto.State.FAILED)
    assert get_status() == ("needs_photos", 1, 0, 1, False)
    ready = make_photo(ada)
    assert get_status() == ("ready", 2, 1, 1, True)
    for state in PersonPhoto.IN_PROGRESS:
        photo = make_photo(ada, state)
        assert get_status() == ("processing", 3, 1, 1, True)
        photo.delete()
    make_photo(ada, created_at=ready.created_at + timedelta(seconds=1))
    thumbnail = api.get(f"{PERSONS}/{ada.pk}").json()["thumbnail_url"]
    with get_media_storage().open(ready.thumbnail_key) as file:
        assert b"".join(api.get(thumbnail)) == file.read()


def test_lists_are_ordered_by_name_and_filtered(api: APIClient, owner: User, ada: Person, stranger: User) -> None:
    people = {name: Person.objects.create(owner=owner, name=name) for name in ("Carl", "Bob", "Dora")}
    Person.objects.create(owner=stranger, name="Eve")
    make_photo(people["Bob"])
    make_photo(people["Carl"], PersonPhoto.State.UPLOADED)
    Person.objects.filter(name="Dora").update(archived_at=timezone.now())

    assert list_names(api) == ["Ada", "Bob", "Carl"]
    assert list_names(api, "?status=ready") == ["Bob"]
    assert list_names(api, "?status=processing") == ["Carl"]
    assert list_names(api, "?status=needs_photos") == ["Ada"]
    assert list_names(api, "?archived=true") == ["Dora"]
    assert list_names(api, "?archived=true&status=ready") == []
    assert list_names(api, "?page_size=2&page=2") == ["Carl"]
    for wrong in ("status=happy", "archived=perhaps"):
        assert api.get(f"{PERSONS}?{wrong}").status_code == 400


def test_a_list_takes_three_queries_at_any_length(api: APIClient, owner: User, django_assert_num_queries: Callable[[int], Any]) -> None:
    for number in range(12):
        person = Person.objects.create(owner=owner, name=f"Person {number:02}")
        for state in (PersonPhoto.State.READY, PersonPhoto.State.READY, PersonPhoto.State.FAILED):
            make_photo(person, state)
    for query in ("", "?status=ready", "?page_size=3"):
        with django_assert_num_queries(3):
            shown = api.get(f"{PERSONS}{query}").json()["results"]
        assert all(person["thumbnail_url"] and (person["photo_count"], person["ready_photo_count"]) == (3, 2) for person in shown)


def test_archived_people_are_not_matched_until_they_are_restored(api: APIClient, ada: Person, woken: mock.Mock) -> None:
    photos = [make_photo(ada), make_photo(ada)]
    expected = hash_query([photo.image_hash for photo in photos], archived=False)
    ada.refresh_from_db()
    assert get_stored_hash(ada, "person_query") == expected != ""

    archived = api.patch(f"{PERSONS}/{ada.pk}", {"archived": True})
    ada.refresh_from_db()
    assert (archived.json()["archived"], get_stored_hash(ada, "person_query"), pop_wake_ups(woken)) == (True, "", [str(ada.owner_id)])
    since = ada.archived_at
    assert api.patch(f"{PERSONS}/{ada.pk}", {"archived": True}).status_code == 200
    ada.refresh_from_db()
    assert (ada.archived_at, pop_wake_ups(woken)) == (since, [])

    assert api.patch(f"{PERSONS}/{ada.pk}", {"archived": False}).json()["archived"] is False
    ada.refresh_from_db()
    assert (get_stored_hash(ada, "person_query"), pop_wake_ups(woken)) == (expected, [str(ada.owner_id)])


def test_two_people_are_merged(api: APIClient, owner: User, ada: Person, woken: mock.Mock) -> None:
    other = Person.objects.create(owner=owner, name="Augusta", aliases=["countess", "King"])
    make_photo(ada)
    moved = make_photo(other)

    merged = api.post(f"{PERSONS}/{ada.pk}/merge", {"other": str(other.pk)})

    assert merged.status_code == 200
    assert (merged.json()["name"], merged.json()["aliases"]) == ("Ada", ["Countess", "Augusta", "King"])
    assert (merged.json()["photo_count"], merged.json()["status"]) == (2, "ready")
    assert api.get(f"{PERSONS}/{other.pk}").status_code == 404
    shown = {photo["id"]: photo for photo in api.get(f"{PERSONS}/{ada.pk}/photos").json()["results"]}
    assert api.get(shown[str(moved.pk)]["thumbnail_url"]).status_code == 200
    assert pop_wake_ups(woken) == [str(owner.pk)]


def test_a_merge_of_too_many_names_changes_nothing(api: APIClient, owner: User, ada: Person) -> None:
    names = [f"Name {number}" for number in range(MAX_ALIASES - 1)]
    other = Person.objects.create(owner=owner, name="Augusta", aliases=names)

    refused = api.post(f"{PERSONS}/{ada.pk}/merge", {"other": str(other.pk)})

    text = "Together they have 21 other names, and a person can have at most 20. Remove some of them first."
    assert (refused.status_code, refused.json()) == (400, {"other": [text]})
    assert {person.name: len(person.aliases) for person in Person.objects.all()} == {"Ada": 1, "Augusta": MAX_ALIASES - 1}
    other.aliases = names[1:]
    other.save()
    assert api.post(f"{PERSONS}/{ada.pk}/merge", {"other": str(other.pk)}).status_code == 200


def test_a_merge_needs_another_person_of_the_same_owner(api: APIClient, ada: Person, stranger: User) -> None:
    foreign = Person.objects.create(owner=stranger, name="Eve")
    url = f"{PERSONS}/{ada.pk}/merge"

    refused = {"other": ["A person cannot be merged with themselves. Choose another person."]}
    assert api.post(url, {"other": str(ada.pk)}).json() == refused
    assert [api.post(url, {"other": str(other)}).status_code for other in (foreign.pk, uuid4())] == [404, 404]
    assert [api.post(url, body).status_code for body in ({}, {"other": "seven"}, {"other": None})] == [400, 400, 400]
    assert api.post(f"{PERSONS}/{foreign.pk}/merge", {"other": str(ada.pk)}).status_code == 404
    assert Person.objects.count() == 2


@pytest.mark.parametrize(("method", "path"), [("get", ""), ("patch", ""), ("delete", ""), ("post", "/merge"), ("get", "/photos")])
def test_another_owners_person_looks_like_an_unknown_one(api: APIClient, stranger: User, method: str, path: str) -> None:
    foreign = Person.objects.create(owner=stranger, name="Eve")
    answers = set()

    for person_id in (foreign.pk, uuid4()):
        answer = getattr(api, method)(f"{PERSONS}/{person_id}{path}")
        assert answer.status_code == 404
        answers.add(answer.json()["detail"])
    assert len(answers) == 1
    assert Person.objects.get().name == "Eve"
