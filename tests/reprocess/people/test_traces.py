"""What stops while people are renewed leaves a trace, by which somebody else ends it."""

from datetime import timedelta
from unittest import mock

import pytest
from django.db import OperationalError
from django.utils import timezone

from heimdex.storage import media_storage
from people.models import Person, PersonPhoto, PhotoEmbedding
from people.photos.schedule import rescue
from reprocess.people_renewal import renew_people, wake_forgotten
from tests.library import make_user
from tests.reprocess.people.makers import arrive, astronaut, film, jpeg, run, where

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("faces_on")]


def test_faces_that_could_not_be_matched_are_matched_once_that_is_noticed() -> None:
    owner = make_user()
    film(owner)
    run()
    person = Person.objects.create(owner=owner, name="Eileen")
    arrive(person, jpeg(astronaut().crop((100, 0, 400, 300))))
    with mock.patch("reprocess.engine.match_faces", side_effect=OperationalError), pytest.raises(OperationalError):
        renew_people(owner.pk)
    assert (person.photos.get().state, where(person)) == (PersonPhoto.State.READY, [])

    assert wake_forgotten() == 1
    renew_people(owner.pk)

    assert where(person) == [1]
    assert wake_forgotten() == 0


def test_a_photo_that_another_worker_is_taking_in_is_left_to_it() -> None:
    owner = make_user()
    person = Person.objects.create(owner=owner, name="Eileen")
    photo = arrive(person, jpeg(astronaut().crop((100, 0, 400, 300))))
    # Killed when the clean copy was recorded, and what arrived not deleted yet.
    with mock.patch("heimdex.storage.local.LocalStorage.delete", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        renew_people(owner.pk)
    renew_people(owner.pk)
    photo.refresh_from_db()
    assert (photo.state, PhotoEmbedding.objects.count()) == (PersonPhoto.State.PROCESSING, 0)
    assert photo.person_photo_hash

    for _ in range(2):
        PersonPhoto.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
        rescue()
    renew_people(owner.pk)
    photo.refresh_from_db()
    assert (photo.state, PhotoEmbedding.objects.count()) == (PersonPhoto.State.READY, 1)
    assert set(media_storage().keys(photo.storage_prefix)) == {photo.picture_key, photo.thumbnail_key}
