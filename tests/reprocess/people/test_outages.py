"""Photos during outages: they wait without losing an attempt, and continue by themselves."""

from pathlib import Path
from unittest import mock

import pytest
from django.db import OperationalError
from django.test import Client

from heimdex.errors import ModelUnavailable
from heimdex.outages.delays import MAX_WAITS
from people.models import PeopleRefreshRequest, Person, PersonPhoto
from people.photos.state import rescue_photos
from reprocess.runs.refresh_people import refresh_people
from tests.library import make_user
from tests.outages import probe_now, storage_away
from tests.reprocess.people.makers import add_photo, encode_jpeg, load_astronaut

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("faces_on")]

MODEL_AWAY = ModelUnavailable("http://10.1.2.3/v1 cannot be reached.")


@pytest.fixture
def photo() -> PersonPhoto:
    person = Person.objects.create(owner=make_user(), name="Eileen")
    return add_photo(person, encode_jpeg(load_astronaut().crop((100, 0, 400, 300))))


def read_wait(photo: PersonPhoto) -> tuple[str, str, int, object]:
    photo.refresh_from_db()
    return photo.state, photo.waits_for, photo.attempts, photo.lease_token


def assert_continues(photo: PersonPhoto) -> None:
    # A task that comes too early leaves it alone.
    refresh_people(photo.owner_id)
    assert photo.attempts == 0
    assert probe_now()
    assert (rescue_photos(), rescue_photos()) == (1, 0)
    assert PeopleRefreshRequest.objects.exists()
    refresh_people(photo.owner_id)
    assert read_wait(photo) == ("ready", "", 1, None)


def test_a_photo_waits_for_the_storage(photo: PersonPhoto, tmp_path: Path) -> None:
    with storage_away(tmp_path):
        refresh_people(photo.owner_id)
        assert read_wait(photo) == ("uploaded", "storage", 0, None)
        assert not probe_now()
        assert rescue_photos() == 0
        browser = Client()
        browser.force_login(photo.owner)
        page = browser.get(f"/people/{photo.person_id}/").content.decode()
        assert "Waiting for the storage. Heimdex tries again at" in page
        listed = browser.get(f"/v1/persons/{photo.person_id}/photos").json()["results"]
        assert [shown["waits_for"] for shown in listed] == ["storage"]

    assert_continues(photo)


def test_a_photo_waits_for_a_model(photo: PersonPhoto) -> None:
    with mock.patch("reprocess.runs.refresh_people.embed_people", side_effect=MODEL_AWAY):
        refresh_people(photo.owner_id)

    assert read_wait(photo) == ("uploaded", "model", 0, None)
    assert_continues(photo)


def test_a_lost_connection_to_the_database_costs_a_photo_no_attempt(photo: PersonPhoto) -> None:
    error = OperationalError("the connection is closed")
    with mock.patch("reprocess.runs.refresh_people.embed_people", side_effect=error), pytest.raises(OperationalError):
        refresh_people(photo.owner_id)

    assert read_wait(photo) == ("uploaded", "", 0, None)
    assert rescue_photos() == 1


def test_a_photo_that_fails_although_nothing_is_away_fails_in_the_end(photo: PersonPhoto) -> None:
    PersonPhoto.objects.filter(pk=photo.pk).update(waits=MAX_WAITS)
    with mock.patch("reprocess.runs.refresh_people.embed_people", side_effect=MODEL_AWAY):
        refresh_people(photo.owner_id)

    photo.refresh_from_db()
    assert (photo.state, photo.error_code, photo.can_retry) == ("failed", "model_failed", True)
    assert "10.1.2.3" not in photo.error_text
