"""Unnamed faces are shown and named, and a wrong face is removed, with plain forms."""

from uuid import uuid4

import pytest
from django.test import Client

from people.models import FaceGroup, FaceLabel, FaceMatch, Person, SceneFace
from tests.library import make_user
from tests.people.test_search import Library

pytestmark = pytest.mark.django_db


@pytest.fixture
def library() -> Library:
    return Library(make_user())


@pytest.fixture
def browser(library: Library, client: Client) -> Client:
    client.force_login(library.owner)
    return client


def make_unnamed_group(library: Library, *indexes: int) -> FaceGroup:
    """Create a group of unmatched faces in some scenes."""
    library.add_person("Somebody", *indexes)
    group = FaceGroup.objects.create(owner=library.owner, space=library.faces, vector=[1.0, 0.0], size=len(indexes))
    SceneFace.objects.filter(group=None).update(group=group)
    FaceMatch.objects.all().delete()
    Person.objects.all().delete()
    return group


def test_an_empty_page_explains_where_faces_come_from(browser: Client) -> None:
    assert "There are no unnamed faces." in browser.get("/people/unknown/").content.decode()


def test_groups_are_shown_largest_first_and_named_in_one_step(library: Library, browser: Client) -> None:
    small, large = make_unnamed_group(library, 0), make_unnamed_group(library, 1, 2, 3)
    page = browser.get("/people/unknown/").content.decode()
    assert page.index(str(large.pk)) < page.index(str(small.pk))
    assert "in 3 scenes" in page
    answer = browser.post(f"/people/unknown/{large.pk}/name/", {"name": "Zoë <b>"}, follow=True)
    person = Person.objects.get()
    assert answer.redirect_chain[-1][0] == f"/people/{person.pk}/"
    assert "Named these faces Zoë &lt;b&gt;." in answer.content.decode()
    assert FaceLabel.objects.filter(person=person, is_person=True).count() == 3
    # A known name assigns the faces to that person.
    browser.post(f"/people/unknown/{small.pk}/name/", {"name": "zoë <B>"})
    assert Person.objects.count() == 1
    assert FaceLabel.objects.count() == 4


def test_an_unknown_group_and_an_invalid_name_are_reported(library: Library, browser: Client) -> None:
    group = make_unnamed_group(library, 0)
    gone = browser.post(f"/people/unknown/{uuid4()}/name/", {"name": "Ann"})
    assert gone.status_code == 404
    assert "Show the unnamed faces" in gone.content.decode()
    assert "A name needs at least" in browser.post(f"/people/unknown/{group.pk}/name/", {"name": ""}, follow=True).content.decode()
    theirs = make_unnamed_group(Library(make_user("other@example.org")), 0)
    assert browser.post(f"/people/unknown/{theirs.pk}/name/", {"name": "Ann"}).status_code == 404
    assert not FaceLabel.objects.exists()


def test_a_group_cannot_be_named_by_another_name_of_a_person(library: Library, browser: Client) -> None:
    group = make_unnamed_group(library, 0)
    library.add_person("Ada", aliases=("Eileen",))
    page = browser.post(f"/people/unknown/{group.pk}/name/", {"name": "EILEEN"}, follow=True).content.decode()
    assert "Ada already has the other name EILEEN. Choose a different name." in page
    assert list(Person.objects.values_list("name", flat=True)) == ["Ada"]


def test_a_person_page_lists_the_faces_and_a_wrong_one_can_be_removed(library: Library, browser: Client) -> None:
    ann = library.add_person("Ann", 0, 2, probability=0.83)
    page = browser.get(f"/people/{ann.pk}/").content.decode()
    assert "(2 scenes)" in page
    assert "83 % likely" in page
    face = SceneFace.objects.get(scene__index=2)
    assert "be suggested again" in browser.post(f"/people/{ann.pk}/faces/{face.pk}/take-out/", follow=True).content.decode()
    assert list(FaceMatch.objects.values_list("scene__index", flat=True)) == [0]
    theirs = Library(make_user("other@example.org")).add_person("Ann", 0)
    assert browser.post(f"/people/{theirs.pk}/faces/{face.pk}/take-out/").status_code == 404
