"""A separate process normalizes each photo once, whatever fails in between."""

import io
from unittest import mock

import pytest
from django.db import transaction
from PIL import Image

from heimdex.leases import Lease, LeaseLost
from heimdex.storage import get_media_storage
from people.errors import PhotoErrorCode, PhotoRejected
from people.models import Person, PersonPhoto
from people.photos.normalize import normalize_photo
from people.photos.state import fail_photo
from tests.library import get_lease
from tests.people.conftest import list_files, make_jpeg, make_photo
from videos.embedding_texts import hash_input

pytestmark = pytest.mark.django_db(transaction=True)


def acquire(photo: PersonPhoto) -> PersonPhoto:
    """Acquire a photo as a worker does."""
    with transaction.atomic():
        _, (acquired,) = Lease.acquire(PersonPhoto.objects.filter(pk=photo.pk), 1, state=PersonPhoto.State.PROCESSING)
    return acquired


def upload(person: Person, content: bytes) -> PersonPhoto:
    photo = make_photo(person, PersonPhoto.State.UPLOADED)
    get_media_storage().save(photo.original_key, content)
    return acquire(photo)


def normalize(photo: PersonPhoto) -> None:
    normalize_photo(photo, get_lease(photo))


def reject(photo: PersonPhoto) -> str:
    with pytest.raises(PhotoRejected) as refused:
        normalize(photo)
    assert str(refused.value).endswith(".")
    return str(refused.value.code)


def test_the_normalized_copy_replaces_the_upload(ada: Person) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    content = make_jpeg(size=(2000, 1000), exif=turned)
    photo = upload(ada, content)

    normalize(photo)

    stored = PersonPhoto.objects.get(pk=photo.pk)
    with get_media_storage().open(photo.image_key) as file:
        copy = file.read()
    assert (stored.width, stored.height) == (photo.width, photo.height) == (800, 1600) == Image.open(io.BytesIO(copy)).size
    assert stored.image_hash == photo.image_hash == hash_input(copy)
    assert stored.checksum == hash_input(content)
    assert (stored.state, stored.lease_token) == ("processing", photo.lease_token)
    assert list_files(ada.owner) == {photo.image_key, photo.thumbnail_key}


def test_a_repeated_call_does_nothing(ada: Person) -> None:
    photo = upload(ada, make_jpeg())
    normalize(photo)
    before = PersonPhoto.objects.values().get(pk=photo.pk)

    with mock.patch("people.photos.normalize.call_sandboxed") as decoding:
        normalize(PersonPhoto.objects.get(pk=photo.pk))

    assert not decoding.called
    assert {**PersonPhoto.objects.values().get(pk=photo.pk), "updated_at": None} == {**before, "updated_at": None}
    assert list_files(ada.owner) == {photo.image_key, photo.thumbnail_key}


@pytest.mark.parametrize(
    "step",
    [
        "people.photos.normalize._decode",
        "heimdex.leases.Lease.lock_row",
        "people.photos.normalize._save_result",
        "people.photos.normalize.lock_people",
    ],
)
def test_the_next_worker_repeats_the_work_of_a_killed_one(ada: Person, step: str) -> None:
    photo = upload(ada, make_jpeg())
    with mock.patch(step, side_effect=SystemExit), pytest.raises(SystemExit):
        normalize(photo)
    assert get_media_storage().size(photo.original_key)

    normalize(PersonPhoto.objects.get(pk=photo.pk))

    assert list_files(ada.owner) == {photo.image_key, photo.thumbnail_key}


def test_a_rejected_photo_has_a_reason(ada: Person) -> None:
    huge = io.BytesIO()
    Image.new("1", (16_000, 16_000)).save(huge, "PNG")

    assert reject(upload(ada, b"<html>")) == "not_a_picture"
    assert reject(upload(ada, make_jpeg()[:-500])) == "damaged"
    assert reject(upload(ada, huge.getvalue())) == "too_large"
    gone = upload(ada, make_jpeg())
    get_media_storage().delete(gone.original_key)
    assert reject(gone) == "file_missing"


def test_an_unusable_file_is_deleted_when_the_photo_fails(ada: Person) -> None:
    unusable, unfinished = upload(ada, b"<html>"), upload(ada, make_jpeg())
    for photo, code in ((unusable, PhotoErrorCode.NOT_AN_IMAGE), (unfinished, PhotoErrorCode.GAVE_UP)):
        with transaction.atomic():
            fail_photo(photo.pk, code, "Because.")

    assert list_files(ada.owner) == {unfinished.original_key}
    failed = PersonPhoto.objects.get(pk=unusable.pk)
    assert (failed.state, failed.error_code, failed.error_text, failed.lease_token) == ("failed", "not_a_picture", "Because.", None)


def test_a_duplicate_photo_is_rejected(ada: Person, owner: object) -> None:
    content = make_jpeg(7)
    first, second = upload(ada, content), upload(ada, content)
    normalize(first)

    assert reject(second) == "duplicate"
    # Also after a crash; the first one is not a duplicate.
    assert reject(PersonPhoto.objects.get(pk=second.pk)) == "duplicate"
    normalize(PersonPhoto.objects.get(pk=first.pk))
    # Another person may have the same photo, and so may this person when the first one failed.
    normalize(upload(Person.objects.create(owner=ada.owner, name="Bob"), content))
    with transaction.atomic():
        fail_photo(first.pk, PhotoErrorCode.NO_FACE, "No face.")
    normalize(PersonPhoto.objects.get(pk=second.pk))
    assert PersonPhoto.objects.get(pk=second.pk).error_code == ""


def test_a_worker_that_lost_its_lease_writes_nothing(ada: Person) -> None:
    photo = upload(ada, make_jpeg())
    PersonPhoto.objects.filter(pk=photo.pk).update(lease_token=None)

    with pytest.raises(LeaseLost):
        normalize(photo)

    assert list_files(ada.owner) == {photo.original_key}
    assert PersonPhoto.objects.get(pk=photo.pk).image_hash == ""


def test_a_photo_deleted_during_processing_leaves_no_files(ada: Person) -> None:
    photo = upload(ada, make_jpeg())
    PersonPhoto.objects.filter(pk=photo.pk).delete()

    with pytest.raises(LeaseLost):
        normalize(photo)

    assert list_files(ada.owner) == {photo.original_key}, "only what the removal itself deletes"
