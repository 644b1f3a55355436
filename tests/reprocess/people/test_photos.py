"""Photos go through the same pipeline as scenes: they become ready or fail, and their people are recognized."""

from datetime import timedelta
from unittest import mock

import pytest
from django.utils import timezone
from PIL import Image

from heimdex.errors import ModelUnavailable
from heimdex.storage import get_media_storage
from people.actions.faces import label_face
from people.actions.photos import delete_photo
from people.input_hashes import refresh_person_inputs
from people.models import FaceMatch, PeopleRefreshRequest, Person, PersonPhoto, QueryEmbedding, SceneFace
from people.photos.state import rescue_photos
from reprocess.runs.refresh_people import refresh_people, requeue_stale_people
from tests.library import make_user
from tests.reprocess.people.makers import add_photo, encode_jpeg, find_scenes, load_astronaut, make_film, make_known_person, run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("faces_on")]


def test_a_photo_becomes_ready_and_its_person_is_recognized_only_in_the_right_scene() -> None:
    owner = make_user()
    make_film(owner)
    run()
    person = make_known_person(owner)
    photo = person.photos.get()
    assert (photo.state, photo.error_text, photo.lease_token) == ("ready", "", None)
    assert find_scenes(person) == [1]
    match = FaceMatch.objects.get()
    assert 0.5 < match.probability < 1.0
    assert get_media_storage().size(match.face.thumbnail_key)
    # Later videos are matched too.
    later = make_film(owner, title="Another")
    run()
    assert find_scenes(person) == [1, 1]
    assert FaceMatch.objects.filter(scene__video=later).count() == 1


def test_photos_without_one_good_face_fail_with_a_reason_and_the_others_are_used() -> None:
    owner = make_user()
    person = Person.objects.create(owner=owner, name="Eileen")
    face = load_astronaut().crop((100, 0, 400, 300))
    pair = Image.new("RGB", (600, 300))
    pair.paste(face, (0, 0))
    pair.paste(face, (300, 0))
    photos = [
        add_photo(person, encode_jpeg(face)),
        add_photo(person, encode_jpeg(Image.new("RGB", (300, 300), "green"))),
        add_photo(person, encode_jpeg(pair)),
        add_photo(person, b"not an image at all"),
    ]
    refresh_people(owner.pk)
    for photo in photos:
        photo.refresh_from_db()
    assert [(photo.state, photo.error_code) for photo in photos] == [
        ("ready", ""),
        ("failed", "no_face"),
        ("failed", "several_faces"),
        ("failed", "not_a_picture"),
    ]
    assert all(photo.error_text.endswith(".") for photo in photos[1:])
    assert QueryEmbedding.objects.get().state == QueryEmbedding.State.EMBEDDED


def test_adding_and_deleting_a_photo_refreshes_the_vector_of_the_person() -> None:
    owner = make_user()
    make_film(owner)
    run()
    person = make_known_person(owner)
    first = QueryEmbedding.objects.get().input_hash
    second = add_photo(person, encode_jpeg(load_astronaut().crop((80, 0, 420, 320)).transpose(Image.Transpose.FLIP_LEFT_RIGHT)))
    refresh_people(owner.pk)
    assert QueryEmbedding.objects.get().input_hash != first
    assert find_scenes(person) == [1]
    second.delete()
    person.photos.all().delete()
    refresh_person_inputs([person.pk])
    refresh_people(owner.pk)
    assert QueryEmbedding.objects.get().state == QueryEmbedding.State.EMPTY
    assert find_scenes(person) == []


def test_a_photo_fails_after_three_workers_have_died_at_it() -> None:
    owner = make_user()
    person = Person.objects.create(owner=owner, name="Eileen")
    photo = add_photo(person, encode_jpeg(load_astronaut().crop((100, 0, 400, 300))))
    for attempt in (1, 2, 3):
        with mock.patch("reprocess.runs.refresh_people._embed", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
            refresh_people(owner.pk)
        photo.refresh_from_db()
        assert (photo.state, photo.attempts) == ("processing", attempt)
        PersonPhoto.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
        rescue_photos()
        PersonPhoto.objects.filter(lease_expires_at__isnull=False).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
        photo.refresh_from_db()
        if attempt < 3:
            assert photo.state == "uploaded"
    assert (photo.state, photo.error_code) == ("failed", "gave_up")


def test_a_refresh_request_is_kept_until_a_worker_has_done_it() -> None:
    owner = make_user()
    make_film(owner)
    run()
    person = make_known_person(owner)
    PeopleRefreshRequest.objects.all().delete()
    label_face(owner, person.pk, SceneFace.objects.get().pk, is_person=False)
    # A task counts as lost after ten minutes.
    assert requeue_stale_people() == 0
    PeopleRefreshRequest.objects.update(created_at=timezone.now() - timedelta(minutes=11))
    assert requeue_stale_people() == 1
    with mock.patch("reprocess.runs.refresh_people.embed_people", side_effect=ModelUnavailable("The model is gone.")):
        refresh_people(owner.pk)
    assert requeue_stale_people() == 1
    refresh_people(owner.pk)
    assert not PeopleRefreshRequest.objects.exists()
    assert requeue_stale_people() == 0


def test_a_lost_refresh_task_is_queued_again() -> None:
    owner = make_user()
    make_film(owner)
    run()
    person = make_known_person(owner)
    assert requeue_stale_people() == 0
    delete_photo(owner, person.pk, person.photos.get().pk)
    # No worker has done it.
    assert requeue_stale_people() == 1
    refresh_people(owner.pk)
    assert requeue_stale_people() == 0
    assert find_scenes(person) == []
