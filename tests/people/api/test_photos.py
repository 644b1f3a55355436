"""Announce a photo, send it, complete; list, retry, remove."""

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest import mock
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from heimdex.storage import get_media_storage
from people.face_settings import FACES_OFF_FOR_OWNER, FACES_OFF_ON_SERVER
from people.models import Person, PersonPhoto
from tests.library import get_stored_hash
from tests.people.conftest import list_files, make_jpeg, make_photo, pop_wake_ups

pytestmark = pytest.mark.usefixtures("faces_on")
CONTENT = make_jpeg()
FILE = {"filename": "ada.jpg", "mime_type": "image/jpeg", "size_bytes": len(CONTENT)}
Announce = Callable[..., dict[str, Any]]


def get_photos_url(person: Person) -> str:
    return f"/v1/persons/{person.pk}/photos"


@pytest.fixture
def announce(api: APIClient, ada: Person) -> Announce:
    """Return a function that announces FILE, with changes, and returns the answer."""

    def send(**changes: object) -> dict[str, Any]:
        answer = api.post(f"{get_photos_url(ada)}/upload-url", {**FILE, **changes})
        assert answer.status_code == 201, answer.content
        return dict(answer.json())

    return send


def put(api: APIClient, target: dict[str, Any], content: bytes = CONTENT) -> int:
    client = APIClient()
    return int(client.generic(target["method"], target["url"], content, content_type=target["headers"]["Content-Type"]).status_code)  # type: ignore[arg-type]


def test_a_photo_goes_from_its_announcement_to_the_queue(api: APIClient, ada: Person, announce: Announce, woken: mock.Mock) -> None:
    target = announce()

    assert set(target) == {"photo_id", "method", "url", "headers", "expires_at"}
    assert (target["method"], target["headers"]) == ("PUT", {"Content-Type": "image/jpeg"})
    expires = parse_datetime(target["expires_at"])
    assert expires is not None
    assert timedelta(minutes=59) < expires - timezone.now() <= timedelta(hours=1)
    url = f"{get_photos_url(ada)}/{target['photo_id']}"
    assert api.get(url).json()["state"] == "uploading"

    assert put(api, target) == 200
    completed = api.post(f"{url}/complete")

    assert (completed.status_code, completed.json()["state"], completed.json()["filename"]) == (202, "uploaded", "ada.jpg")
    photo = PersonPhoto.objects.get()
    assert (photo.person, photo.owner, str(photo.pk)) == (ada, ada.owner, target["photo_id"])
    assert list_files(ada.owner) == {photo.original_key}
    assert pop_wake_ups(woken) == [str(ada.owner_id)]
    again = api.post(f"{url}/complete")
    assert (again.status_code, again.json()) == (202, completed.json())
    assert pop_wake_ups(woken) == []


def test_an_upload_url_of_a_photo_ends_with_the_upload_and_with_access(api: APIClient, ada: Person, announce: Announce) -> None:
    first, second, third = announce(), announce(), announce()
    put(api, first)
    assert api.post(f"{get_photos_url(ada)}/{first['photo_id']}/complete").status_code == 202
    api.delete(f"{get_photos_url(ada)}/{second['photo_id']}")
    kept = list_files(ada.owner)

    assert (put(api, first), put(api, second)) == (409, 403)
    User.objects.update(is_active=False)
    assert put(api, third) == 403
    assert api.post(f"{get_photos_url(ada)}/{third['photo_id']}/complete").status_code == 404
    assert list_files(ada.owner) == kept


def test_the_upload_url_of_a_photo_is_renewed(api: APIClient, ada: Person, announce: Announce) -> None:
    target = announce()
    url = f"{get_photos_url(ada)}/{target['photo_id']}"

    answer = api.post(f"{url}/upload-url")

    assert (answer.status_code, set(answer.json())) == (200, {"method", "url", "headers", "expires_at"})
    assert put(api, answer.json()) == 200
    assert api.post(f"{url}/complete").status_code == 202
    assert api.post(f"{url}/upload-url").status_code == 409
    assert api.post(f"{get_photos_url(ada)}/{uuid4()}/upload-url").status_code == 404


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"size_bytes": 0}, "size_bytes"),
        ({"size_bytes": 10**12}, "size_bytes"),
        ({"size_bytes": "many"}, "size_bytes"),
        ({"mime_type": "image/gif"}, "mime_type"),
        ({"mime_type": "image/avif"}, "mime_type"),
        ({"mime_type": "image/svg+xml"}, "mime_type"),
        ({"mime_type": "image/jpeg\r\nSet-Cookie: a=b"}, "mime_type"),
        ({"mime_type": "video/mp4"}, "mime_type"),
        ({"mime_type": ""}, "mime_type"),
        ({"filename": ""}, "filename"),
        ({"filename": "f" * 2000}, "filename"),
    ],
)
def test_an_invalid_announcement_is_reported_by_field(api: APIClient, ada: Person, changes: dict[str, object], field: str) -> None:
    answer = api.generic("POST", f"{get_photos_url(ada)}/upload-url", json.dumps({**FILE, **changes}), content_type="application/json")

    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert answer.json()[field][0].endswith(".")
    assert not PersonPhoto.objects.exists()


def test_the_limits_come_from_the_settings(api: APIClient, ada: Person, announce: Announce, settings: LazySettings) -> None:
    settings.MAX_PHOTOS, settings.MAX_PHOTO_BYTES = 2, len(CONTENT)
    first = announce()
    announce()

    answer = api.post(f"{get_photos_url(ada)}/upload-url", FILE)
    assert (answer.status_code, answer.json()["detail"]) == (409, "Ada already has 2 photos, which is the limit. Remove one first.")
    assert api.delete(f"{get_photos_url(ada)}/{first['photo_id']}").status_code == 204
    announce()
    assert api.post(f"{get_photos_url(ada)}/upload-url", {**FILE, "size_bytes": len(CONTENT) + 1}).status_code == 400


def test_photos_are_rejected_while_face_recognition_is_off(api: APIClient, ada: Person, settings: LazySettings) -> None:
    def reject() -> str:
        answer = api.post(f"{get_photos_url(ada)}/upload-url", FILE)
        assert answer.status_code == 409
        return str(answer.json()["detail"])

    ada.owner.find_faces = False
    ada.owner.save()
    assert reject() == FACES_OFF_FOR_OWNER
    ada.owner.find_faces = True
    settings.MODEL_BACKENDS = {alias: backend for alias, backend in settings.MODEL_BACKENDS.items() if alias != "faces"}
    assert reject() == FACES_OFF_ON_SERVER
    assert not PersonPhoto.objects.exists()


def test_an_archived_person_gets_no_photos(api: APIClient, ada: Person) -> None:
    Person.objects.update(archived_at=timezone.now())

    answer = api.post(f"{get_photos_url(ada)}/upload-url", FILE)

    assert (answer.status_code, answer.json()["detail"]) == (409, "Ada is archived. Restore the person before you add photos.")


def test_complete_reports_a_missing_file(api: APIClient, ada: Person, announce: Announce, woken: mock.Mock) -> None:
    target = announce()
    complete = f"{get_photos_url(ada)}/{target['photo_id']}/complete"

    missing = api.post(complete)
    assert (missing.status_code, missing.json()["detail"][:28]) == (409, "No file has arrived yet. PUT")
    assert put(api, target, CONTENT + b"!") == 413
    # A storage that cannot bind a URL to a size accepts any size.
    get_media_storage().save(PersonPhoto.objects.get().upload_key, CONTENT[:-1])
    short = api.post(complete)
    assert (short.status_code, f"has {len(CONTENT) - 1} bytes" in short.json()["detail"]) == (409, True)
    assert pop_wake_ups(woken) == []
    assert put(api, target) == 200
    assert api.post(complete).status_code == 202


def test_bytes_sent_after_complete_change_nothing(api: APIClient, ada: Person, announce: Announce) -> None:
    target = announce()
    put(api, target)
    api.post(f"{get_photos_url(ada)}/{target['photo_id']}/complete")

    put(api, target, b"x" * len(CONTENT))
    api.post(f"{get_photos_url(ada)}/{target['photo_id']}/complete")

    with get_media_storage().open(PersonPhoto.objects.get().original_key) as file:
        assert file.read() == CONTENT


@pytest.mark.django_db(transaction=True)
def test_two_concurrent_announcements_do_not_both_get_the_last_slot(api: APIClient, ada: Person, settings: LazySettings) -> None:
    settings.MAX_PHOTOS = 3
    both = threading.Barrier(6)
    answers: list[int] = []

    def announce() -> None:
        client = APIClient()
        client.force_authenticate(ada.owner)
        both.wait()
        answers.append(client.post(f"{get_photos_url(ada)}/upload-url", FILE).status_code)
        connection.close()

    threads = [threading.Thread(target=announce) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == [201, 201, 201, 409, 409, 409]
    assert PersonPhoto.objects.count() == 3


def test_the_list_shows_the_state_of_each_photo(api: APIClient, ada: Person, django_assert_num_queries: Callable[[int], Any]) -> None:
    ready = make_photo(ada, width=800, height=600)
    failed = make_photo(ada, PersonPhoto.State.FAILED, error_code="gave_up", error_text="It stopped.")
    unusable = make_photo(ada, PersonPhoto.State.FAILED, error_code="not_a_picture", error_text="Not an image.", checksum="", image_hash="")
    waiting = make_photo(ada, PersonPhoto.State.UPLOADED)

    with django_assert_num_queries(3):
        shown = api.get(get_photos_url(ada)).json()["results"]

    assert [photo["id"] for photo in shown] == [str(photo.pk) for photo in (ready, failed, unusable, waiting)]
    assert [photo["state"] for photo in shown] == ["ready", "failed", "failed", "uploaded"]
    assert [photo["error_text"] for photo in shown] == ["", "It stopped.", "Not an image.", ""]
    assert [photo["can_retry"] for photo in shown] == [False, True, False, False]
    assert (shown[0]["width"], shown[0]["height"]) == (800, 600)
    assert api.get(shown[0]["thumbnail_url"]).status_code == 200
    assert shown[3]["thumbnail_url"] == ""


@pytest.mark.parametrize("code", ["no_face", "several_faces", "too_small", "too_blurred", "duplicate", "damaged"])
def test_a_photo_that_would_fail_again_cannot_be_retried(api: APIClient, ada: Person, code: str) -> None:
    photo = make_photo(ada, PersonPhoto.State.FAILED, error_code=code, error_text="Because.")

    assert [shown["can_retry"] for shown in api.get(get_photos_url(ada)).json()["results"]] == [False]
    assert api.post(f"{get_photos_url(ada)}/{photo.pk}/retry").status_code == 409


def test_a_failed_photo_is_retried_from_the_beginning(api: APIClient, ada: Person, woken: mock.Mock) -> None:
    failed = make_photo(ada, PersonPhoto.State.FAILED, error_code="gave_up", error_text="Stopped.", attempts=3)
    url = f"{get_photos_url(ada)}/{failed.pk}/retry"

    answer = api.post(url)

    assert (answer.status_code, answer.json()["state"], answer.json()["error_text"]) == (202, "uploaded", "")
    failed.refresh_from_db()
    assert (failed.attempts, failed.error_code, pop_wake_ups(woken)) == (0, "", [str(ada.owner_id)])
    assert (api.post(url).status_code, api.post(url).json()["detail"]) == (
        409,
        "Only a failed photo can be retried. This photo is uploaded.",
    )
    PersonPhoto.objects.update(state=PersonPhoto.State.FAILED, error_code="damaged")
    assert api.post(url).json()["detail"].startswith("A retry with the same file cannot succeed.")


@pytest.mark.django_db(transaction=True)
def test_a_deleted_photo_no_longer_counts(api: APIClient, ada: Person, woken: mock.Mock) -> None:
    kept, removed, failed = make_photo(ada), make_photo(ada), make_photo(ada, PersonPhoto.State.FAILED)
    ada.refresh_from_db()
    before = get_stored_hash(ada, "person_query")

    assert api.delete(f"{get_photos_url(ada)}/{failed.pk}").status_code == 204
    ada.refresh_from_db()
    assert (get_stored_hash(ada, "person_query"), pop_wake_ups(woken)) == (before, [])
    assert api.delete(f"{get_photos_url(ada)}/{removed.pk}").status_code == 204
    ada.refresh_from_db()
    assert get_stored_hash(ada, "person_query") not in ("", before)
    assert pop_wake_ups(woken) == [str(ada.owner_id)]
    assert list_files(ada.owner) == {kept.image_key, kept.thumbnail_key}
    assert api.delete(f"{get_photos_url(ada)}/{kept.pk}").status_code == 204
    ada.refresh_from_db()
    assert (get_stored_hash(ada, "person_query"), list_files(ada.owner)) == ("", set())


def test_a_photo_is_reachable_only_under_its_own_person(api: APIClient, owner: User, ada: Person, stranger: User) -> None:
    bob = Person.objects.create(owner=owner, name="Bob")
    foreign = make_photo(Person.objects.create(owner=stranger, name="Eve"), PersonPhoto.State.FAILED)
    mine = make_photo(ada, PersonPhoto.State.FAILED)

    for person_id, photo_id in ((bob.pk, mine.pk), (ada.pk, foreign.pk), (foreign.person_id, foreign.pk), (ada.pk, uuid4())):
        for method, path in (("get", ""), ("delete", ""), ("post", "/complete"), ("post", "/retry")):
            answer = getattr(api, method)(f"/v1/persons/{person_id}/photos/{photo_id}{path}")
            assert answer.status_code == 404
    assert set(PersonPhoto.objects.values_list("state", flat=True)) == {"failed"}
    assert api.post(f"{get_photos_url(foreign.person)}/upload-url", FILE).status_code == 404
