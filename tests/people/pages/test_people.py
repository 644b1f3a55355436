"""The list of people."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from heimdex.accounts.models import User
from heimdex.storage import get_media_storage
from people.models import Person, PersonPhoto
from people.pages.people import PER_PAGE
from tests.people.conftest import make_photo
from tests.videos.pages.conftest import extract_text, read


@pytest.mark.usefixtures("faces_on")
def test_an_empty_list_explains_how_to_begin(browser: Client) -> None:
    page = extract_text(read(browser, "/people/"))

    assert "You have no people yet. Add a person above, then three photos of the face" in page
    assert '<a href="/people/" aria-current="page">People</a>' in read(browser, "/people/")
    assert '<a href="/people/">People</a>' in read(browser, "/")


def test_a_person_is_added_and_photos_come_next(browser: Client, owner: User) -> None:
    answer = browser.post("/people/", {"name": " Grace  Hopper "}, follow=True)

    person = Person.objects.get()
    assert (person.owner, person.name) == (owner, "Grace Hopper")
    assert answer.redirect_chain == [(f"/people/{person.pk}/", 302)]
    assert "Added Grace Hopper. Now add photos." in extract_text(answer.content.decode())


@pytest.mark.parametrize(
    ("name", "problem"), [("", "This field is required."), ("ada", "You already have a person named Ada."), ("?", "A name needs")]
)
def test_an_invalid_name_is_reported_beside_the_field(browser: Client, ada: Person, name: str, problem: str) -> None:
    answer = browser.post("/people/", {"name": name})

    page = answer.content.decode()
    assert answer.status_code == 400
    assert problem in extract_text(page)
    assert 'aria-invalid="true"' in page
    assert list(Person.objects.all()) == [ada]


def test_each_person_is_shown_with_a_thumbnail_and_a_status(browser: Client, owner: User, ada: Person, stranger: User) -> None:
    ready = make_photo(ada)
    make_photo(ada, PersonPhoto.State.FAILED)
    make_photo(Person.objects.create(owner=owner, name="Bob"), PersonPhoto.State.UPLOADED)
    Person.objects.create(owner=owner, name="Carl")
    Person.objects.create(owner=owner, name="Dora", archived_at=timezone.now())
    make_photo(Person.objects.create(owner=stranger, name="Eve"))

    page = read(browser, "/people/")

    assert re.findall(r'/people/[0-9a-f-]{36}/">(\w+)<', page) == ["Ada", "Bob", "Carl"]
    text = extract_text(page)
    assert "Ada Ready 2 photos, 1 cannot be used" in text
    assert "Bob Processing photos 1 photo" in text
    assert "Carl Needs photos 0 photos" in text
    (address,) = re.findall(r'<img src="([^"]+)"', page)
    with get_media_storage().open(ready.thumbnail_key) as file:
        assert b"".join(browser.get(address)) == file.read()  # type: ignore[arg-type]
    archived = read(browser, "/people/?archived=1")
    assert re.findall(r'/people/[0-9a-f-]{36}/">(\w+)<', archived) == ["Dora"]


def test_lists_are_paginated_and_take_a_constant_number_of_queries(
    browser: Client, owner: User, django_assert_num_queries: Callable[[int], Any]
) -> None:
    make_photo(Person.objects.create(owner=owner, name="Person 00"))
    browser.get("/people/")
    with django_assert_num_queries(6):
        browser.get("/people/")
    for number in range(1, PER_PAGE + 1):
        make_photo(Person.objects.create(owner=owner, name=f"Person {number:02}"))
    with django_assert_num_queries(6):
        first = read(browser, "/people/")
    assert re.findall(r"Person \d\d", first) == [f"Person {number:02}" for number in range(PER_PAGE)]
    assert "Person 48" in read(browser, "/people/?page=2")
    assert 'rel="next" href="?page=2"' in first
