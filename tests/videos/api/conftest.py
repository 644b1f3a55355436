"""An owner, an API client, and uploads."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from tests.library import make_video
from videos.models import Job, Video, VideoMetadata

INIT, COMPLETE = "/v1/videos/upload/init", "/v1/videos/upload/complete"
CONTENT = b"a film, as far as the upload can tell"
FILE = {"filename": "film.mp4", "mime_type": "video/mp4", "size_bytes": len(CONTENT), "title": "A day at sea", "description": "Of 1999"}


# The fields of a video in a list.
LISTED = {
    "id",
    "title",
    "description",
    "filename",
    "mime_type",
    "size_bytes",
    "language",
    "state",
    "error_code",
    "error_text",
    "created_at",
    "updated_at",
}


def fail(video: Video) -> None:
    """Put a video into the state after its first stage failed."""
    Video.objects.filter(pk=video.pk).update(state=Video.State.FAILED, error_code="took_too_long", error_text="Decoding took too long.")
    video.jobs.filter(stage="probe").update(state=Job.State.FAILED, attempts=1, error="Decoding took too long.")


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_user("owner@example.org", None)


@pytest.fixture
def api(owner: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(owner)
    return client


def put(api: APIClient, init_answer: dict[str, Any], content: bytes = CONTENT) -> int:
    """Send bytes to the URL of an initialized upload and return the status code."""
    target = init_answer["upload"]
    return int(api.generic(target["method"], target["url"], content.decode(), content_type=target["headers"]["Content-Type"]).status_code)


@pytest.fixture
def init_upload(api: APIClient) -> Callable[..., dict[str, Any]]:
    """Return a function that initializes an upload of FILE, with changes, and returns the answer."""

    def send(**changes: object) -> dict[str, Any]:
        answer = api.post(INIT, {**FILE, **changes})
        assert answer.status_code == 201, answer.content
        return dict(answer.json())

    return send


@pytest.fixture
def uploaded_video(api: APIClient, init_upload: Callable[..., dict[str, Any]]) -> Video:
    """Return a video whose file has arrived and waits for a worker."""
    init_answer = init_upload()
    put(api, init_answer)
    assert api.post(COMPLETE, {"video_id": init_answer["video_id"]}).status_code == 202
    return Video.objects.get(pk=init_answer["video_id"])


@pytest.fixture
def video(owner: User) -> Video:
    video = make_video(owner, title="A day at sea")
    VideoMetadata.objects.create(
        video=video, owner=owner, container="mp4", duration_s=20, width=1280, height=720, fps=25, video_codec="h264", audio_codec="aac"
    )
    return video
