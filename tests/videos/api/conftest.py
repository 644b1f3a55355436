"""An owner, what they upload, and how."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from videos.models import Video

INIT, COMPLETE = "/v1/videos/upload/init", "/v1/videos/upload/complete"
CONTENT = b"a film, as far as the upload can tell"
FILE = {"filename": "film.mp4", "mime_type": "video/mp4", "size_bytes": len(CONTENT), "title": "A day at sea", "description": "Of 1999"}


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_user("owner@example.org", None)


@pytest.fixture
def api(owner: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(owner)
    return client


def put(api: APIClient, announced: dict[str, Any], content: bytes = CONTENT) -> int:
    """Send bytes to the address that an announcement was answered with; return the status."""
    target = announced["upload"]
    return int(api.generic(target["method"], target["url"], content.decode(), content_type=target["headers"]["Content-Type"]).status_code)


@pytest.fixture
def announce(api: APIClient) -> Callable[..., dict[str, Any]]:
    """Return a function that announces FILE, with changes, and returns the answer."""

    def send(**changes: object) -> dict[str, Any]:
        answer = api.post(INIT, {**FILE, **changes})
        assert answer.status_code == 201, answer.content
        return dict(answer.json())

    return send


@pytest.fixture
def completed(api: APIClient, announce: Callable[..., dict[str, Any]]) -> Video:
    """Return a video whose file has arrived and waits for a worker."""
    announced = announce()
    put(api, announced)
    assert api.post(COMPLETE, {"video_id": announced["video_id"]}).status_code == 202
    return Video.objects.get(pk=announced["video_id"])
