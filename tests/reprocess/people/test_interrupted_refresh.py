"""A refresh of people that a crash interrupts is continued by another worker."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from unittest import mock
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError
from django.utils import timezone

from heimdex.storage import get_media_storage
from people.models import Person, PersonPhoto, PhotoEmbedding
from people.photos.state import rescue_photos
from reprocess.runs.refresh_people import refresh_people, requeue_stale_people
from reprocess.runs.vectors import replace_embeddings
from reprocess.steps.embedding_task import Outcome
from tests.library import make_user
from tests.reprocess.people.makers import add_photo, encode_jpeg, find_scenes, load_astronaut, make_film, run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("faces_on")]


def test_faces_are_matched_later_when_matching_has_failed() -> None:
    owner = make_user()
    make_film(owner)
    run()
    person = Person.objects.create(owner=owner, name="Eileen")
    add_photo(person, encode_jpeg(load_astronaut().crop((100, 0, 400, 300))))
    with mock.patch("reprocess.runs.engine.match_faces", side_effect=OperationalError), pytest.raises(OperationalError):
        refresh_people(owner.pk)
    assert (person.photos.get().state, find_scenes(person)) == (PersonPhoto.State.READY, [])

    assert requeue_stale_people() == 1
    refresh_people(owner.pk)

    assert find_scenes(person) == [1]
    assert requeue_stale_people() == 0


def test_a_photo_that_another_worker_processes_is_left_to_it() -> None:
    owner = make_user()
    person = Person.objects.create(owner=owner, name="Eileen")
    photo = add_photo(person, encode_jpeg(load_astronaut().crop((100, 0, 400, 300))))
    # Killed after the normalized copy was recorded and before the uploaded file was deleted.
    with mock.patch("heimdex.storage.local.LocalMediaStorage.delete", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        refresh_people(owner.pk)
    refresh_people(owner.pk)
    photo.refresh_from_db()
    assert (photo.state, PhotoEmbedding.objects.count()) == (PersonPhoto.State.PROCESSING, 0)
    assert photo.image_hash

    for _ in range(2):
        PersonPhoto.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
        rescue_photos()
    refresh_people(owner.pk)
    photo.refresh_from_db()
    assert (photo.state, PhotoEmbedding.objects.count()) == (PersonPhoto.State.READY, 1)
    assert set(get_media_storage().list_keys(photo.storage_prefix)) == {photo.image_key, photo.thumbnail_key}


@contextmanager
def steal_lease(photo: PersonPhoto, token: UUID) -> Iterator[None]:
    """Let another worker lease the photo before each write of vectors."""

    def write(*args: Any) -> list[Outcome]:
        PersonPhoto.objects.filter(pk=photo.pk).update(state=PersonPhoto.State.PROCESSING, lease_token=token)
        return replace_embeddings(*args)

    with mock.patch("reprocess.runs.engine.replace_embeddings", write):
        yield


def test_a_worker_that_lost_the_lease_on_a_photo_writes_no_vector() -> None:
    owner = make_user()
    photo, token = (
        add_photo(Person.objects.create(owner=owner, name="Eileen"), encode_jpeg(load_astronaut().crop((100, 0, 400, 300)))),
        uuid4(),
    )
    with steal_lease(photo, token):
        refresh_people(owner.pk)
    photo.refresh_from_db()
    assert (photo.state, photo.lease_token, PhotoEmbedding.objects.count()) == (PersonPhoto.State.PROCESSING, token, 0)


def test_a_run_writes_no_vector_of_a_photo_that_another_worker_has_leased() -> None:
    owner = make_user()
    photo, token = (
        add_photo(Person.objects.create(owner=owner, name="Eileen"), encode_jpeg(load_astronaut().crop((100, 0, 400, 300)))),
        uuid4(),
    )
    refresh_people(owner.pk)
    with steal_lease(photo, token):
        forced = run(force=True)
    photo.refresh_from_db()
    assert (photo.state, photo.lease_token) == (PersonPhoto.State.PROCESSING, token)
    assert PhotoEmbedding.objects.get(photo=photo).run_id != forced.pk
