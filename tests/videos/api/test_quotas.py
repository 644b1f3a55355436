"""An owner's files and minutes stay within the quota, and unfinished uploads within their limit."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from heimdex.accounts.models import RateLimit, User
from heimdex.storage import get_media_storage
from people.models import Person, PersonPhoto
from tests.videos.api.conftest import COMPLETE, CONTENT, FILE, INIT, put
from videos.ingest.schedule import rescue
from videos.models import Video

InitUpload = Callable[..., dict[str, Any]]
PHOTO = {"filename": "ann.jpg", "mime_type": "image/jpeg", "size_bytes": 20}


@pytest.fixture
def photos_url(owner: User, faces_on: None) -> str:
    return f"/v1/persons/{Person.objects.create(owner=owner, name='Ann').pk}/photos/upload-url"


def test_without_a_quota_the_account_shows_what_is_used(api: APIClient, video: Video) -> None:
    assert api.get("/v1/auth/me").json()["usage"] == {
        "bytes": 1,
        "max_bytes": None,
        "minutes": 0.3,
        "max_minutes": None,
        "open_uploads": 0,
        "max_open_uploads": 50,
    }


def test_files_beyond_the_quota_are_refused_until_space_is_free(
    api: APIClient, init_upload: InitUpload, owner: User, photos_url: str, settings: Settings
) -> None:
    settings.MAX_OWNER_BYTES = 100
    announced = init_upload(size_bytes=70)
    assert api.post(photos_url, PHOTO).status_code == 201
    used = RateLimit.objects.get().due_at

    refused = api.post(INIT, {**FILE, "size_bytes": 11})

    sentence = (
        "This file has 11 bytes, but only 10 bytes of your 100 bytes are free. Delete videos, or ask an administrator for more space."
    )
    assert (refused.status_code, refused.json()["detail"].replace("\xa0", " ")) == (409, sentence)
    assert api.post(photos_url, PHOTO).status_code == 409
    assert (Video.objects.count(), PersonPhoto.objects.count()) == (1, 1)
    # An upload that is refused counts nowhere.
    assert RateLimit.objects.get().due_at == used
    assert api.post(INIT, {**FILE, "size_bytes": 10}).status_code == 201
    assert api.delete(f"/v1/videos/{announced['video_id']}").status_code == 204
    assert api.post(INIT, {**FILE, "size_bytes": 70}).status_code == 201
    me = api.get("/v1/auth/me").json()["usage"]
    assert (me["bytes"], me["max_bytes"], me["open_uploads"]) == (100, 100, 3)
    # Other owners have their own quota.
    api.force_authenticate(User.objects.create_user("other@example.org"))
    assert api.post(INIT, {**FILE, "size_bytes": 100}).status_code == 201


def test_the_quota_of_a_user_replaces_the_default(api: APIClient, owner: User, settings: Settings) -> None:
    settings.MAX_OWNER_BYTES = 100
    settings.MAX_OWNER_MINUTES = 1
    User.objects.update(max_bytes=200, max_minutes=0)
    owner.refresh_from_db()
    refused = api.post(INIT, {**FILE, "size_bytes": 150})
    assert refused.status_code == 409
    assert refused.json()["detail"].startswith("Your videos last 0 of the 0 minutes that your account includes.")
    User.objects.update(max_minutes=5)
    assert api.post(INIT, {**FILE, "size_bytes": 150}).status_code == 201
    assert api.post(INIT, {**FILE, "size_bytes": 51}).status_code == 409


def test_no_upload_starts_when_the_minutes_are_used_up(api: APIClient, owner: User, video: Video, photos_url: str) -> None:
    User.objects.update(max_minutes=1)
    assert api.post(INIT, FILE).status_code == 201
    video.metadata.duration_s = 60.0
    video.metadata.save()
    refused = api.post(INIT, FILE)
    sentence = "Your videos last 1 of the 1 minutes that your account includes. Delete videos, or ask an administrator for more."
    assert (refused.status_code, refused.json()) == (409, {"detail": sentence})
    # A photo has no length.
    assert api.post(photos_url, PHOTO).status_code == 201


def test_unfinished_uploads_are_limited(api: APIClient, init_upload: InitUpload, owner: User, photos_url: str, settings: Settings) -> None:
    settings.MAX_OPEN_UPLOADS = 2
    first = init_upload()
    assert api.post(photos_url, PHOTO).status_code == 201
    for url, body in ((INIT, FILE), (photos_url, PHOTO)):
        refused = api.post(url, body)
        sentence = "You have 2 unfinished uploads, which is the limit. Complete or delete one of them first."
        assert (refused.status_code, refused.json()) == (409, {"detail": sentence})
    put(api, first)
    assert api.post(COMPLETE, {"video_id": first["video_id"]}).status_code == 202
    assert api.post(INIT, FILE).status_code == 201
    assert api.post(INIT, FILE).status_code == 409


@pytest.mark.django_db(transaction=True)
def test_uploads_at_the_same_time_cannot_exceed_the_quota(owner: User, settings: Settings, faces_on: None) -> None:
    settings.MAX_OWNER_BYTES = 3 * len(CONTENT)
    photos_url = f"/v1/persons/{Person.objects.create(owner=owner, name='Ann').pk}/photos/upload-url"
    together = threading.Barrier(8)
    answers: list[int] = []

    def announce(number: int) -> None:
        client = APIClient()
        client.force_authenticate(User.objects.get())
        together.wait()
        url, body = (INIT, FILE) if number % 2 else (photos_url, {**PHOTO, "size_bytes": len(CONTENT)})
        answers.append(client.post(url, body).status_code)
        connection.close()

    threads = [threading.Thread(target=announce, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == [201] * 3 + [409] * 5


def test_an_upload_that_expired_frees_its_bytes_and_leaves_no_file(
    api: APIClient, init_upload: InitUpload, owner: User, settings: Settings
) -> None:
    settings.MAX_OWNER_BYTES, settings.MAX_OPEN_UPLOADS = len(CONTENT), 1
    announced = init_upload()
    assert put(api, announced) == 200
    assert api.post(INIT, FILE).status_code == 409
    Video.objects.update(upload_expires_at=timezone.now() - timedelta(seconds=1))

    assert rescue() == 1

    video = Video.objects.get()
    assert (video.state, video.error_code, video.can_retry) == ("failed", "upload_expired", False)
    assert not list(get_media_storage().list_keys(f"owners/{owner.pk}"))
    assert api.get("/v1/auth/me").json()["usage"]["bytes"] == 0
    assert api.post(INIT, FILE).status_code == 201


def test_a_file_that_arrives_after_its_upload_expired_is_not_stored(api: APIClient, init_upload: InitUpload, owner: User) -> None:
    announced = init_upload()
    receive = "heimdex.storage.views._receive"

    def expire_meanwhile(request: Any, file: Any, size: int) -> int:
        Video.objects.update(upload_expires_at=timezone.now() - timedelta(seconds=1))
        assert rescue() == 1
        late.start()
        return len(CONTENT)

    late = mock.patch("heimdex.storage.tokens.time.time", return_value=timezone.now().timestamp() + 25 * 3600)
    try:
        with mock.patch(receive, expire_meanwhile):
            assert put(api, announced) == 403
    finally:
        late.stop()

    assert not list(get_media_storage().list_keys(f"owners/{owner.pk}"))
