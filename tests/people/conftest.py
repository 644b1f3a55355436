"""An owner, their people, and photos of them."""

import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest import mock

import numpy as np
import pytest
from django.db import transaction
from django.utils import timezone
from PIL import Image
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from heimdex.storage import get_media_storage
from people.input_hashes import refresh_person_inputs, refresh_photo_inputs
from people.models import Person, PersonPhoto
from videos.embedding_texts import hash_input


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_user("owner@example.org", None, name="Olga Owner")


@pytest.fixture
def stranger(db: None) -> User:
    return User.objects.create_user("stranger@example.org", None)


@pytest.fixture
def api(owner: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(owner)
    return client


@pytest.fixture
def ada(owner: User) -> Person:
    return Person.objects.create(owner=owner, name="Ada", aliases=["Countess"])


@pytest.fixture
def woken() -> Iterator[mock.Mock]:
    """The enqueued wake-ups."""
    with mock.patch("people.refresh.enqueue") as sent:
        yield sent


def pop_wake_ups(woken: mock.Mock) -> list[str]:
    """Return the owners whose wake-ups were sent since the last call."""
    assert all(call.args[0] == "reprocess.tasks.refresh_people" for call in woken.call_args_list)
    sent = [call.args[1] for call in woken.call_args_list]
    woken.reset_mock()
    return sent


def make_jpeg(seed: int = 0, size: tuple[int, int] = (400, 300), **options: Any) -> bytes:
    """Return a photo that differs for each seed."""
    noise = np.random.default_rng(seed).integers(0, 255, (15, 20, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).resize(size).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def make_photo(person: Person, state: str = PersonPhoto.State.READY, *, seed: int | None = None, **fields: Any) -> PersonPhoto:
    """Create a photo in a state, with the files of that state."""
    content = make_jpeg(PersonPhoto.objects.count() if seed is None else seed)
    given: dict[str, Any] = {"filename": "photo.jpg", "mime_type": "image/jpeg", "size_bytes": len(content), "woken_at": timezone.now()}
    photo = PersonPhoto(
        person=person, owner_id=person.owner_id, state=state, upload_expires_at=timezone.now() + timedelta(hours=1), **{**given, **fields}
    )
    if state == PersonPhoto.State.UPLOADED:
        get_media_storage().save(photo.original_key, content, "image/jpeg")
    if state in (PersonPhoto.State.READY, PersonPhoto.State.FAILED):
        photo.checksum, photo.image_hash = hash_input(b"sent" + content), hash_input(content)
        for key in (photo.image_key, photo.thumbnail_key):
            get_media_storage().save(key, content, "image/jpeg")
    with transaction.atomic():
        photo.save()
        refresh_photo_inputs(photo)
        refresh_person_inputs([person.pk])
    return photo


def list_files(owner: User) -> set[str]:
    """Return the keys of all files of an owner."""
    return set(get_media_storage().list_keys(f"owners/{owner.pk}"))
