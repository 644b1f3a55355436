"""Videos whose file has arrived, and a look at how their ingest stands."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from heimdex.accounts.models import User
from heimdex.storage import media_storage
from videos.ingest.schedule import start_ingest
from videos.models import Job, Video

Arrived = Callable[..., Video]


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_user("owner@example.org", None)


@pytest.fixture
def arrived(owner: User) -> Arrived:
    """Return a function that gives a file to the owner, as a completed upload leaves it."""

    def take(file: Path | bytes, **fields: object) -> Video:
        content = file if isinstance(file, bytes) else file.read_bytes()
        given = {"title": "Film", "filename": "film.mp4", "mime_type": "video/mp4", "size_bytes": len(content), **fields}
        soon = timezone.now() + timedelta(hours=1)
        video = Video.objects.create(owner=owner, state=Video.State.VALIDATING, upload_expires_at=soon, **given)
        media_storage().save(video.original_key, content, "video/mp4")
        start_ingest(video)
        return video

    return take


def standing(video: Video) -> tuple[str, str]:
    """Return a video's state and error code, read anew."""
    video.refresh_from_db()
    return video.state, video.error_code


def job(video: Video, stage: str) -> Job:
    """Return a stage's row, read anew."""
    return Job.objects.get(video=video, stage=stage)


def stop_waiting(video: Video) -> None:
    """Let all time that a lease or a pause between attempts still has go by."""
    Job.objects.filter(video=video, lease_expires_at__isnull=False).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
