"""Two people are merged on a page that explains the consequences."""

import re
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from heimdex.accounts.models import User
from people.models import Person, PersonPhoto
from people.names import MAX_ALIASES
from tests.people.conftest import make_photo
from tests.videos.pages.conftest import extract_text, read

pytestmark = pytest.mark.usefixtures("faces_on")


@pytest.fixture
def page_url(ada: Person) -> str:
    return f"/people/{ada.pk}/"


def list_options(page: str) -> list[tuple[str, str]]:
    """Return the choices of a page: value and label."""
    return re.findall(r'<option value="([^"]*)"[^>]*>([^<]*)</option>', page)


def test_the_other_people_are_listed_and_the_merge_is_explained(
    browser: Client, owner: User, stranger: User, ada: Person, page_url: str
) -> None:
    bob = Person.objects.create(owner=owner, name="Bob <b>", archived_at=timezone.now())
    augusta = Person.objects.create(owner=owner, name="augusta")
    make_photo(augusta)
    make_photo(augusta, PersonPhoto.State.FAILED)
    # Its file has not arrived.
    make_photo(bob, PersonPhoto.State.UPLOADING)
    Person.objects.create(owner=stranger, name="Eve")

    assert f'href="{page_url}merge/">Merge with another person…</a>' in read(browser, page_url)
    page = read(browser, f"{page_url}merge/")

    assert list_options(page) == [
        ("", "Choose a person"),
        (str(augusta.pk), "augusta (2 photos)"),
        (str(bob.pk), "Bob &lt;b&gt; (0 photos, archived)"),
    ]
    assert "become other names of Ada, and their photos and face labels move over" in extract_text(page)
    assert "cannot be undone" in page
    assert '<label for="id_other">' in page
    assert "selected" not in page.partition("<main")[2].partition("augusta")[2]


def test_two_people_are_merged_on_the_page(browser: Client, owner: User, ada: Person, page_url: str) -> None:
    augusta = Person.objects.create(owner=owner, name="Augusta", aliases=["King"])
    photo = make_photo(augusta)

    answer = browser.post(f"{page_url}merge/", {"other": str(augusta.pk)}, follow=True)

    assert answer.redirect_chain == [(page_url, 302)]
    assert "Merged Augusta into Ada." in extract_text(answer.content.decode())
    assert [(person.name, person.aliases) for person in Person.objects.all()] == [("Ada", ["Countess", "Augusta", "King"])]
    photo.refresh_from_db()
    assert photo.person == ada
    # Nobody else is left.
    assert "merge/" not in answer.content.decode()


def test_an_invalid_choice_is_reported_beside_the_field(browser: Client, owner: User, stranger: User, ada: Person, page_url: str) -> None:
    Person.objects.create(owner=owner, name="Bob")
    foreign = Person.objects.create(owner=stranger, name="Eve")

    for other in (ada.pk, foreign.pk, uuid4(), "seven"):
        answer = browser.post(f"{page_url}merge/", {"other": str(other)})
        assert (answer.status_code, "Choose one of the people in the list." in extract_text(answer.content.decode())) == (400, True)
        assert 'aria-invalid="true"' in answer.content.decode()
    answer = browser.post(f"{page_url}merge/", {"other": ""})
    assert (answer.status_code, "Choose a person." in extract_text(answer.content.decode())) == (400, True)
    assert browser.post(f"/people/{foreign.pk}/merge/", {"other": str(ada.pk)}).status_code == 404
    assert browser.get(f"/people/{foreign.pk}/merge/").status_code == 404
    assert {person.name for person in Person.objects.all()} == {"Ada", "Bob", "Eve"}


def test_too_many_names_are_reported_beside_the_field(browser: Client, owner: User, ada: Person, page_url: str) -> None:
    other = Person.objects.create(owner=owner, name="Augusta", aliases=[f"Name {number}" for number in range(MAX_ALIASES)])

    answer = browser.post(f"{page_url}merge/", {"other": str(other.pk)})

    assert (answer.status_code, "Remove some of them first." in extract_text(answer.content.decode())) == (400, True)
    assert Person.objects.count() == 2


def test_the_page_explains_when_there_is_nobody_to_merge_with(browser: Client, stranger: User, ada: Person, page_url: str) -> None:
    Person.objects.create(owner=stranger, name="Eve")

    assert "merge/" not in read(browser, page_url)
    page = read(browser, f"{page_url}merge/")
    assert "There is nobody else to merge with. Back to Ada" in extract_text(page)
    assert "<select" not in page
