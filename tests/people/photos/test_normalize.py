"""Photos are taken in by a process of its own, once, whatever happens in between."""

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
from tests.library import lease_on
from tests.people.conftest import files_of, jpeg, make_photo
from videos.embedding_texts import hash_input

pytestmark = pytest.mark.django_db(transaction=True)


def claimed(photo: PersonPhoto) -> PersonPhoto:
    """Return a photo as the worker has it that took it up."""
    with transaction.atomic():
        _, (held,) = Lease.acquire(PersonPhoto.objects.filter(pk=photo.pk), 1, state=PersonPhoto.State.PROCESSING)
    return held


def arrived(person: Person, content: bytes) -> PersonPhoto:
    photo = make_photo(person, PersonPhoto.State.UPLOADED)
    get_media_storage().save(photo.original_key, content)
    return claimed(photo)


def normalize(photo: PersonPhoto) -> None:
    normalize_photo(photo, lease_on(photo))


def refusal(photo: PersonPhoto) -> str:
    with pytest.raises(PhotoRejected) as refused:
        normalize(photo)
    assert str(refused.value).endswith(".")
    return str(refused.value.code)


def test_the_normalized_copy_replaces_the_upload(ada: Person) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    content = jpeg(size=(2000, 1000), exif=turned)
    photo = arrived(ada, content)

    normalize(photo)

    stored = PersonPhoto.objects.get(pk=photo.pk)
    with get_media_storage().open(photo.image_key) as file:
        copy = file.read()
    assert (stored.width, stored.height) == (photo.width, photo.height) == (800, 1600) == Image.open(io.BytesIO(copy)).size
    assert stored.image_hash == photo.image_hash == hash_input(copy)
    assert stored.checksum == hash_input(content)
    assert (stored.state, stored.lease_token) == ("processing", photo.lease_token)
    assert files_of(ada.owner) == {photo.image_key, photo.thumbnail_key}


def test_a_repeated_call_does_nothing(ada: Person) -> None:
    photo = arrived(ada, jpeg())
    normalize(photo)
    before = PersonPhoto.objects.values().get(pk=photo.pk)

    with mock.patch("people.photos.normalize.call_sandboxed") as decoding:
        normalize(PersonPhoto.objects.get(pk=photo.pk))

    assert not decoding.called
    assert {**PersonPhoto.objects.values().get(pk=photo.pk), "updated_at": None} == {**before, "updated_at": None}
    assert files_of(ada.owner) == {photo.image_key, photo.thumbnail_key}


@pytest.mark.parametrize("place", ["_decode", "_lock_photo", "_save_result", "lock_people"])
def test_the_next_worker_repeats_the_work_of_a_killed_one(ada: Person, place: str) -> None:
    photo = arrived(ada, jpeg())
    with mock.patch(f"people.photos.normalize.{place}", side_effect=SystemExit), pytest.raises(SystemExit):
        normalize(photo)
    assert get_media_storage().size(photo.original_key)

    normalize(PersonPhoto.objects.get(pk=photo.pk))

    assert files_of(ada.owner) == {photo.image_key, photo.thumbnail_key}


def test_a_rejected_photo_has_a_reason(ada: Person) -> None:
    huge = io.BytesIO()
    Image.new("1", (16_000, 16_000)).save(huge, "PNG")

    assert refusal(arrived(ada, b"<html>")) == "not_a_picture"
    assert refusal(arrived(ada, jpeg()[:-500])) == "damaged"
    assert refusal(arrived(ada, huge.getvalue())) == "too_large"
    gone = arrived(ada, jpeg())
    get_media_storage().delete(gone.original_key)
    assert refusal(gone) == "file_missing"


def test_an_unusable_file_is_deleted_when_the_photo_fails(ada: Person) -> None:
    hopeless, unlucky = arrived(ada, b"<html>"), arrived(ada, jpeg())
    for photo, code in ((hopeless, PhotoErrorCode.NOT_AN_IMAGE), (unlucky, PhotoErrorCode.GAVE_UP)):
        with transaction.atomic():
            fail_photo(photo.pk, code, "Because.")

    assert files_of(ada.owner) == {unlucky.original_key}
    failed = PersonPhoto.objects.get(pk=hopeless.pk)
    assert (failed.state, failed.error_code, failed.error_text, failed.lease_token) == ("failed", "not_a_picture", "Because.", None)


def test_a_duplicate_photo_is_rejected(ada: Person, owner: object) -> None:
    content = jpeg(7)
    first, second = arrived(ada, content), arrived(ada, content)
    normalize(first)

    assert refusal(second) == "duplicate"
    # Also after a crash, and the first is none.
    assert refusal(PersonPhoto.objects.get(pk=second.pk)) == "duplicate"
    normalize(PersonPhoto.objects.get(pk=first.pk))
    # Somebody else may have the same photo, and so may this person when the first one failed.
    normalize(arrived(Person.objects.create(owner=ada.owner, name="Bob"), content))
    with transaction.atomic():
        fail_photo(first.pk, PhotoErrorCode.NO_FACE, "No face.")
    normalize(PersonPhoto.objects.get(pk=second.pk))
    assert PersonPhoto.objects.get(pk=second.pk).error_code == ""


def test_a_worker_that_lost_its_lease_writes_nothing(ada: Person) -> None:
    photo = arrived(ada, jpeg())
    PersonPhoto.objects.filter(pk=photo.pk).update(lease_token=None)

    with pytest.raises(LeaseLost):
        normalize(photo)

    assert files_of(ada.owner) == {photo.original_key}
    assert PersonPhoto.objects.get(pk=photo.pk).image_hash == ""


def test_a_photo_deleted_during_processing_leaves_no_files(ada: Person) -> None:
    photo = arrived(ada, jpeg())
    PersonPhoto.objects.filter(pk=photo.pk).delete()

    with pytest.raises(LeaseLost):
        normalize(photo)

    assert files_of(ada.owner) == {photo.original_key}, "only what the removal itself deletes"
