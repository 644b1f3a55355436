"""What a client sends to S3 after an upload was completed, or after its user lost access, changes nothing and is deleted."""

from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from heimdex.storage import get_media_storage
from tests.heimdex.storage.web import request
from tests.library import make_user
from tests.reprocess.reconcile.conftest import count_issues
from videos.models import Video

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.integration,
    pytest.mark.usefixtures("any_storage"),
    pytest.mark.parametrize("any_storage", ["s3"], indirect=True),
]
CONTENT = b"a film, as far as the upload can tell"
FILE = {"filename": "film.mp4", "mime_type": "video/mp4", "size_bytes": len(CONTENT)}


def send(target: dict[str, Any], content: bytes) -> int:
    return request(target["method"], target["url"], content, target["headers"]).status


def test_a_late_upload_to_s3_changes_nothing_and_is_swept(settings: Settings) -> None:
    owner = make_user()
    api = APIClient()
    api.force_authenticate(owner)
    started = api.post("/v1/videos/upload/init", FILE).json()
    assert send(started["upload"], CONTENT) == 200
    assert api.post("/v1/videos/upload/complete", {"video_id": started["video_id"]}).status_code == 202
    video = Video.objects.get()

    assert send(started["upload"], CONTENT[::-1]) == 200

    assert api.post("/v1/videos/upload/complete", {"video_id": started["video_id"]}).status_code == 202
    with get_media_storage().open(video.original_key) as file:
        assert file.read() == CONTENT
    Video.objects.update(state=Video.State.FAILED, error_code="not_a_video")
    settings.UPLOAD_TTL_SECONDS = -5
    assert count_issues("--repair", what="repaired") == {"orphan_files": 1}
    assert list(get_media_storage().list_keys()) == [video.original_key]


def test_a_user_without_access_completes_no_upload_to_s3() -> None:
    owner = make_user()
    api = APIClient()
    api.force_authenticate(owner)
    started = api.post("/v1/videos/upload/init", FILE).json()
    User.objects.update(is_active=False)
    assert send(started["upload"], CONTENT) == 200

    assert api.post("/v1/videos/upload/complete", {"video_id": started["video_id"]}).status_code == 404
    assert Video.objects.get().state == Video.State.UPLOADING
    assert list(get_media_storage().list_keys()) == [Video.objects.get().upload_key]
