"""Deleting and merging people while workers process them."""

import contextlib
import threading
import time
from collections.abc import Iterator
from unittest import mock
from uuid import uuid4

import pytest
from django.db import connection, transaction

from heimdex.accounts.models import User
from heimdex.leases import LeaseLost
from heimdex.storage import get_media_storage
from people.actions.persons import delete_person, merge_people
from people.actions.photos import delete_photo
from people.input_hashes import hash_query
from people.models import FaceLabel, FaceMatch, Person, PersonPhoto, PhotoEmbedding, QueryEmbedding, SceneFace
from people.photos import normalize
from people.photos.normalize import normalize_photo
from tests.library import get_lease, get_stored_hash, make_video
from tests.people.conftest import list_files, make_photo
from videos.models import EmbeddingSpace

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("woken")]
BOX = {"left": 0.1, "top": 0.1, "right": 0.3, "bottom": 0.4}


@pytest.fixture
def known(ada: Person) -> Person:
    """Return a person with two photos, their vectors, and a labeled face in a scene."""
    photos = [make_photo(ada), make_photo(ada)]
    space = EmbeddingSpace.objects.create(channel="person", fingerprint="f", step="s", spec_version="v", embedder={}, dimensions=2)
    common = {"owner": ada.owner, "space": space, "vector": [0.6, 0.8]}
    scene = make_video(ada.owner, ["A boat."]).scenes.get()
    face = SceneFace.objects.create(scene=scene, video=scene.video, time_s=1, first_s=1, last_s=1, quality=1, side_px=80, **BOX, **common)
    PhotoEmbedding.objects.create(photo=photos[0], state="embedded", **common)
    QueryEmbedding.objects.create(person=ada, state="embedded", **common)
    FaceMatch.objects.create(face=face, person=ada, space=space, owner=ada.owner, scene=scene, probability=0.9)
    FaceLabel.objects.create(owner=ada.owner, person=ada, video=scene.video, time_s=1, is_person=True, **BOX)
    return ada


def test_everything_of_a_person_is_deleted_and_nothing_else(known: Person, owner: User) -> None:
    kept = make_photo(Person.objects.create(owner=owner, name="Bob"))

    delete_person(owner, known.pk)

    assert list(PersonPhoto.objects.all()) == [kept]
    assert not any(model._default_manager.exists() for model in (PhotoEmbedding, QueryEmbedding, FaceMatch, FaceLabel))
    assert SceneFace.objects.count() == 1
    assert {key for key in list_files(owner) if "/persons/" in key} == {kept.image_key, kept.thumbnail_key}


def test_a_crash_before_the_files_are_deleted_leaves_no_row_without_a_file(known: Person, owner: User) -> None:
    with mock.patch.object(type(get_media_storage()), "delete_prefix", side_effect=SystemExit), pytest.raises(SystemExit):
        delete_person(owner, known.pk)

    assert not Person.objects.exists()
    assert not PersonPhoto.objects.exists()


@contextlib.contextmanager
def prepare_concurrently(photo: PersonPhoto) -> Iterator[list[str]]:
    """Let a worker normalize a photo and stop when its files are written but not committed; yield the outcome."""
    photo.lease_token = uuid4()
    PersonPhoto.objects.filter(pk=photo.pk).update(lease_token=photo.lease_token, state=PersonPhoto.State.PROCESSING)
    outcome: list[str] = []
    writing = threading.Event()
    settle = normalize._save_result

    def save_slowly(*args: PersonPhoto) -> None:
        writing.set()
        # Long enough for the other side to get as far as possible before this commits.
        time.sleep(0.3)
        settle(*args)

    def work() -> None:
        with contextlib.closing(connection):
            try:
                normalize_photo(photo, get_lease(photo))
                outcome.append("prepared")
            except LeaseLost:
                outcome.append("lost")

    with mock.patch("people.photos.normalize._save_result", save_slowly):
        worker = threading.Thread(target=work)
        worker.start()
        assert writing.wait(20)
        yield outcome
        worker.join()


def test_files_being_written_are_deleted_with_the_person(ada: Person, owner: User) -> None:
    make_photo(ada)
    with prepare_concurrently(make_photo(ada, PersonPhoto.State.UPLOADED)) as outcome:
        delete_person(owner, ada.pk)

    assert outcome == ["prepared"]
    assert list_files(owner) == set()


def test_files_being_written_are_deleted_with_the_photo(ada: Person, owner: User) -> None:
    photo = make_photo(ada, PersonPhoto.State.UPLOADED)
    with prepare_concurrently(photo) as outcome:
        delete_photo(owner, ada.pk, photo.pk)

    assert outcome == ["prepared"]
    assert list_files(owner) == set()


def test_a_merge_moves_everything_and_the_files_stay_reachable(known: Person, owner: User) -> None:
    bob = Person.objects.create(owner=owner, name="Bob")
    own, twin = make_photo(bob), make_photo(bob, seed=99)
    copied = PersonPhoto.objects.filter(person=known).first()
    assert copied
    PersonPhoto.objects.filter(pk=copied.pk).update(checksum=twin.checksum)
    waiting = make_photo(known, PersonPhoto.State.UPLOADED)

    with prepare_concurrently(waiting) as outcome:
        merge_people(owner, bob.pk, known.pk)

    assert outcome == ["prepared"]
    photos = list(PersonPhoto.objects.filter(person=bob))
    assert {photo.pk for photo in photos} == {own.pk, twin.pk, waiting.pk, *list_moved_ids(photos, known)}
    assert copied.pk not in {photo.pk for photo in photos}, "both had it"
    assert len(photos) == 4
    assert {key for key in list_files(owner) if "/persons/" in key} == {
        key for photo in photos for key in (photo.image_key, photo.thumbnail_key)
    }
    assert FaceMatch.objects.get().person == FaceLabel.objects.get().person == bob
    assert not QueryEmbedding.objects.exists()
    bob.refresh_from_db()
    ready = [photo.image_hash for photo in photos if photo.state == PersonPhoto.State.READY]
    assert (bob.aliases, get_stored_hash(bob, "person_query")) == (["Ada", "Countess"], hash_query(ready, archived=False))

    # A second merge, and the end of it all.
    carl = Person.objects.create(owner=owner, name="Carl")
    merge_people(owner, carl.pk, bob.pk)
    assert {photo.storage_prefix for photo in PersonPhoto.objects.all()} == {photo.storage_prefix for photo in photos}
    delete_person(owner, carl.pk)
    assert not [key for key in list_files(owner) if "/persons/" in key]


def list_moved_ids(photos: list[PersonPhoto], person: Person) -> set[object]:
    """Return the ids of the photos whose files are stored under a person's id."""
    return {photo.pk for photo in photos if photo.filed_under == person.pk}


def test_two_concurrent_changes_leave_the_current_hash(ada: Person, owner: User) -> None:
    photos = [make_photo(ada) for _ in range(6)]
    start = threading.Barrier(4)

    def remove(photo: PersonPhoto) -> None:
        with contextlib.closing(connection):
            start.wait()
            delete_photo(owner, ada.pk, photo.pk)

    threads = [threading.Thread(target=remove, args=(photo,)) for photo in photos[:4]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    ada.refresh_from_db()
    assert get_stored_hash(ada, "person_query") == hash_query([photo.image_hash for photo in photos[4:]], archived=False)
    with transaction.atomic():
        assert PersonPhoto.objects.count() == 2
