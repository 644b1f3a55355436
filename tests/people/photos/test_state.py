"""Photos without a worker are retried, or fail with a reason."""

from datetime import timedelta
from unittest import mock

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from heimdex.leases import Lease
from heimdex.storage import get_media_storage
from people.models import Person, PersonPhoto
from people.tasks import rescue_photos
from tests.people.conftest import list_files, make_photo, pop_wake_ups

pytestmark = pytest.mark.django_db(transaction=True)


def lose(photo: PersonPhoto) -> None:
    """Acquire a photo and die."""
    with transaction.atomic():
        Lease.acquire(PersonPhoto.objects.filter(pk=photo.pk), 1, state=PersonPhoto.State.PROCESSING)


def stop_waiting() -> None:
    """Let every lease and delay expire."""
    PersonPhoto.objects.filter(lease_expires_at__isnull=False).update(lease_expires_at=timezone.now() - timedelta(seconds=1))


def get_state(photo: PersonPhoto) -> tuple[str, str]:
    photo.refresh_from_db()
    return photo.state, photo.error_code


def test_a_killed_worker_is_replaced_until_the_last_attempt(ada: Person, woken: mock.Mock) -> None:
    photo = make_photo(ada, PersonPhoto.State.UPLOADED)
    for _ in range(settings.MAX_ATTEMPTS - 1):
        lose(photo)
        assert (rescue_photos(), get_state(photo)[0]) == (0, "processing")
        stop_waiting()
        # First its lease expires, and then a delay.
        assert (rescue_photos(), get_state(photo)[0], pop_wake_ups(woken)) == (0, "uploaded", [])
        stop_waiting()
        assert (rescue_photos(), rescue_photos()) == (1, 0)
        assert pop_wake_ups(woken) == [str(ada.owner_id)]
    lose(photo)
    stop_waiting()
    assert rescue_photos() == 0

    assert get_state(photo) == ("failed", "gave_up")
    assert photo.error_text.startswith(f"Processing this photo stopped unexpectedly {settings.MAX_ATTEMPTS} times.")
    assert (photo.lease_token, photo.lease_expires_at) == (None, None)
    assert not PersonPhoto.objects.filter(state__in=PersonPhoto.IN_PROGRESS).exists()


def test_a_lost_wake_up_is_sent_again_once_per_owner(ada: Person, woken: mock.Mock) -> None:
    for _ in range(3):
        make_photo(ada, PersonPhoto.State.UPLOADED)
    assert rescue_photos() == 0
    PersonPhoto.objects.update(woken_at=timezone.now() - timedelta(minutes=11))

    assert (rescue_photos(), rescue_photos()) == (3, 0)

    assert pop_wake_ups(woken) == [str(ada.owner_id)]


def test_delayed_running_and_finished_photos_are_left_alone(ada: Person, woken: mock.Mock) -> None:
    long_ago, soon = timezone.now() - timedelta(hours=1), timezone.now() + timedelta(seconds=20)
    for state, lease in (("uploaded", soon), ("processing", soon), ("ready", None), ("failed", None), ("uploading", None)):
        make_photo(ada, state, woken_at=long_ago, lease_expires_at=lease)

    assert rescue_photos() == 0
    assert pop_wake_ups(woken) == []


def test_an_expired_upload_is_deleted_with_its_files(ada: Person, woken: mock.Mock) -> None:
    photo = make_photo(ada, PersonPhoto.State.UPLOADING)
    kept = make_photo(ada, PersonPhoto.State.UPLOADING)
    for upload in (photo, kept):
        get_media_storage().save(upload.upload_key, b"half a pho")
    PersonPhoto.objects.filter(pk=photo.pk).update(upload_expires_at=timezone.now() - timedelta(seconds=1))

    assert (rescue_photos(), rescue_photos()) == (1, 0)

    assert list(PersonPhoto.objects.all()) == [kept]
    assert list_files(ada.owner) == {kept.upload_key}
