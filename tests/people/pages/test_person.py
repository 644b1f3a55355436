"""The page of one person."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.test import Client

from heimdex.accounts.models import User
from people.face_settings import FACES_OFF_FOR_OWNER
from people.models import Person, PersonPhoto
from tests.people.conftest import make_jpeg, make_photo
from tests.videos.pages.conftest import extract_text, read

pytestmark = pytest.mark.usefixtures("faces_on")


@pytest.fixture
def page_url(ada: Person) -> str:
    return f"/people/{ada.pk}/"


def test_photos_show_their_state_and_possible_actions(browser: Client, ada: Person, page_url: str) -> None:
    ready = make_photo(ada, filename="from the front.jpg")
    failed = make_photo(ada, PersonPhoto.State.FAILED, filename="group.jpg", error_code="gave_up", error_text="It stopped.")
    unusable = make_photo(ada, PersonPhoto.State.FAILED, filename="notes.txt", error_code="not_a_picture", error_text="Not an image.")
    moving = make_photo(ada, PersonPhoto.State.PROCESSING, filename="new.jpg")
    make_photo(ada, PersonPhoto.State.UPLOADING, filename="coming.jpg")

    page = read(browser, page_url)
    text = extract_text(page)

    assert "Photos (4)" in text
    assert "from the front.jpg Ready Remove from the front.jpg" in text
    assert "group.jpg Cannot be used It stopped. Retry group.jpg Remove group.jpg" in text
    assert "notes.txt Cannot be used Not an image. Remove notes.txt" in text
    assert "new.jpg Looking for the face" in text
    assert "coming.jpg" not in text
    assert re.findall(r'data-poll="([^"]+)"', page) == [str(moving.pk)]
    assert f'data-photos-url="/v1/persons/{ada.pk}/photos"' in page
    assert 'aria-live="polite"' in page
    assert re.findall(r"photos/([0-9a-f-]{36})/retry/", page) == [str(failed.pk)]
    assert re.findall(r"photos/([0-9a-f-]{36})/remove/", page) == [str(photo.pk) for photo in (ready, failed, unusable, moving)]
    assert 'alt="Photo 1 of Ada"' in page


def test_the_page_recommends_more_photos(browser: Client, ada: Person, page_url: str, settings: LazySettings) -> None:
    assert "Add three photos of the face" in extract_text(read(browser, page_url))
    make_photo(ada)
    assert "Add 2 more photos from another angle or another day for better matches." in extract_text(read(browser, page_url))
    make_photo(ada)
    make_photo(ada)
    assert "better matches" not in extract_text(read(browser, page_url))
    settings.MAX_PHOTOS = 3
    page = read(browser, page_url)
    assert "A person can have at most 3 photos. Remove one to add another." in extract_text(page)
    assert "data-uploader" not in page


def test_the_pages_explain_that_face_recognition_is_off(browser: Client, ada: Person, page_url: str) -> None:
    ada.owner.find_faces = False
    ada.owner.save()

    for path in ("/people/", "/people/unknown/", page_url):
        page = read(browser, path)
        assert f"{FACES_OFF_FOR_OWNER} Turn on face recognition…" in extract_text(page)
        # The page does not ask for photos that would not be processed.
        for promise in ("data-uploader", "Add three photos of the face", "appear here within", "when a photo is ready"):
            assert promise not in page


def test_names_are_changed(browser: Client, ada: Person, page_url: str) -> None:
    answer = browser.post(page_url, {"name": "Ada Lovelace", "aliases": "Countess\n\n  Enchantress  \ncountess"}, follow=True)

    ada.refresh_from_db()
    assert (ada.name, ada.aliases) == ("Ada Lovelace", ["Countess", "Enchantress"])
    assert "Saved." in extract_text(answer.content.decode())
    assert "Countess\nEnchantress</textarea>" in answer.content.decode()


def test_invalid_names_are_reported_beside_their_field(browser: Client, owner: User, ada: Person, page_url: str) -> None:
    Person.objects.create(owner=owner, name="Bob")

    for fields, problem in (
        ({"name": "bob", "aliases": ""}, "already have a person named Bob"),
        ({"name": "Ada", "aliases": "?"}, "A name needs at least"),
    ):
        answer = browser.post(page_url, fields)
        assert (answer.status_code, problem in extract_text(answer.content.decode())) == (400, True)
    ada.refresh_from_db()
    assert (ada.name, ada.aliases) == ("Ada", ["Countess"])


def test_a_person_is_archived_and_restored(browser: Client, ada: Person, page_url: str) -> None:
    page = browser.post(f"{page_url}archive/", {"archived": "1"}, follow=True).content.decode()
    assert "Archived Ada." in extract_text(page)
    assert "data-uploader" not in page
    assert "Ada" not in extract_text(read(browser, "/people/"))

    page = browser.post(f"{page_url}archive/", {"archived": "0"}, follow=True).content.decode()
    assert "Restored Ada." in extract_text(page)
    assert "data-uploader" in page


def test_a_person_whose_name_is_taken_is_not_restored(browser: Client, owner: User, ada: Person, page_url: str) -> None:
    browser.post(f"{page_url}archive/", {"archived": "1"})
    Person.objects.create(owner=owner, name="Augusta", aliases=["ada"])

    page = browser.post(f"{page_url}archive/", {"archived": "0"}, follow=True).content.decode()
    assert "Meanwhile, Augusta has the name Ada." in extract_text(page)
    ada.refresh_from_db()
    assert ada.is_archived


def test_a_person_is_deleted_only_after_confirmation(browser: Client, ada: Person, page_url: str) -> None:
    make_photo(ada)
    question = extract_text(read(browser, f"{page_url}delete/"))
    assert "Delete Ada? This deletes the person, 1 photo and all face labels." in question
    assert Person.objects.exists()

    answer = browser.post(f"{page_url}delete/", follow=True)

    assert "Deleted Ada." in extract_text(answer.content.decode())
    assert not Person.objects.exists()
    assert browser.get(page_url).status_code == 404


def test_photos_are_retried_and_removed(browser: Client, ada: Person, page_url: str) -> None:
    failed = make_photo(ada, PersonPhoto.State.FAILED, error_code="gave_up", filename="late.jpg")

    answer = browser.post(f"{page_url}photos/{failed.pk}/retry/", follow=True)
    assert "Retrying late.jpg." in extract_text(answer.content.decode())
    again = browser.post(f"{page_url}photos/{failed.pk}/retry/", follow=True)
    assert "Only a failed photo can be retried. This photo is uploaded." in extract_text(again.content.decode())
    answer = browser.post(f"{page_url}photos/{failed.pk}/remove/", follow=True)
    assert "Removed the photo." in extract_text(answer.content.decode())
    assert not PersonPhoto.objects.exists()


def test_the_page_takes_a_constant_number_of_queries(
    browser: Client, ada: Person, page_url: str, django_assert_num_queries: Callable[[int], Any]
) -> None:
    make_photo(ada)
    for more in (0, 8):
        for _ in range(more):
            make_photo(ada)
        with django_assert_num_queries(7):
            read(browser, page_url)


def test_a_logged_in_browser_can_upload_through_the_api(owner: User, ada: Person, page_url: str) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner)
    page = read(browser, page_url)
    photos = f"/v1/persons/{ada.pk}/photos"
    assert f'data-init-url="{photos}/upload-url"' in page
    assert f'data-complete-url="{photos}/{{id}}/complete"' in page
    assert f'data-items-url="{photos}" data-id-key="photo_id"' in page
    assert 'accept="image/jpeg,image/png,image/webp,image/heic,image/heif"' in page
    token = {"X-CSRFToken": browser.cookies["csrftoken"].value}
    content = make_jpeg()
    file = {"filename": "ada.jpg", "mime_type": "image/jpeg", "size_bytes": len(content)}

    announced = browser.post(f"{photos}/upload-url", file, content_type="application/json", headers=token).json()
    sent = browser.put(announced["url"], content, content_type="image/jpeg")
    completed = browser.post(
        f"{photos}/{announced['photo_id']}/complete", {"photo_id": announced["photo_id"]}, content_type="application/json", headers=token
    )

    assert (sent.status_code, completed.status_code) == (200, 202)
    assert "ada.jpg Queued" in extract_text(read(browser, page_url))


@pytest.mark.parametrize("path", ["", "delete/", "merge/", "archive/", "photos/{photo}/retry/", "photos/{photo}/remove/"])
def test_other_owners_get_404(client: Client, browser: Client, ada: Person, stranger: User, path: str) -> None:
    foreign = Person.objects.create(owner=stranger, name="Eve")
    photo = make_photo(foreign, PersonPhoto.State.FAILED)
    own = make_photo(ada, PersonPhoto.State.FAILED)
    address = f"/people/{foreign.pk}/" + path.format(photo=photo.pk)

    for method in (browser.get, browser.post):
        assert method(address).status_code in ((404, 405) if method == browser.get else (404,))
    assert browser.post(f"/people/{ada.pk}/photos/{photo.pk}/remove/").status_code == 404
    assert browser.post(f"/people/{uuid4()}/").status_code == 404
    answers = [client.get(f"/people/{ada.pk}/" + path.format(photo=own.pk)), client.post(f"/people/{ada.pk}/" + path.format(photo=own.pk))]
    assert all(answer["Location"].startswith("/accounts/login/?next=/people/") for answer in answers)
    forged = Client(enforce_csrf_checks=True)
    forged.force_login(ada.owner)
    assert forged.post(f"/people/{ada.pk}/" + path.format(photo=own.pk)).status_code == 403
    assert (Person.objects.count(), PersonPhoto.objects.filter(state="failed").count()) == (2, 2)


@pytest.mark.parametrize("path", ["/people/", "/people/?archived=1", "/people/{id}/", "/people/{id}/delete/", "/people/{id}/merge/"])
def test_every_page_shows_the_user_and_links_onward(browser: Client, ada: Person, path: str) -> None:
    make_photo(ada, PersonPhoto.State.FAILED, error_text="<script>alert(1)</script>", filename="<b>.jpg")
    page = read(browser, path.format(id=ada.pk))

    assert "Olga Owner" in page
    assert page.count("<h1>") == 1
    # Nothing that a strict content security policy would refuse, and nothing from elsewhere.
    for refused in ("style=", "onclick=", "http://", "https://", "<script>", "<b>"):
        assert refused not in page
    labeled = set(re.findall(r'<label[^>]* for="([^"]+)"', page))
    fields = set(re.findall(r'<(?:input|textarea|select)(?![^>]*type="hidden")[^>]* id="([^"]+)"', page))
    assert fields <= labeled


def test_the_scripts_are_served() -> None:
    for name in ("people/static/people/photos.js", "people/static/people/people.css"):
        assert (Path(__file__).resolve().parents[3] / name).is_file()
