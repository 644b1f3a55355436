"""Videos whose file has arrived, and a look at how their ingest stands."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from unittest import mock

import pytest
from django.utils import timezone

from heimdex.accounts.models import User
from heimdex.storage import get_media_storage
from tests.videos.ingest import made_stages
from videos.ingest.schedule import start_ingest
from videos.ingest.stage import Stage
from videos.models import Job, Video
from videos.registry import list_stages, override_stages

Arrived = Callable[..., Video]
UseStages = Callable[..., None]


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
        get_media_storage().save(video.original_key, content, "video/mp4")
        start_ingest(video)
        return video

    return take


@pytest.fixture
def use_stages() -> Iterator[UseStages]:
    """Return a function that replaces the ingest's stages for the test; it takes registered stages by name, and others as they are."""
    by_name = {stage.name: stage for stage in list_stages()}
    with ExitStack() as stack:

        def use(*stages: str | Stage) -> None:
            chosen = [by_name[stage] if isinstance(stage, str) else stage for stage in stages]
            stack.enter_context(override_stages(chosen))

        yield use


@pytest.fixture
def two_stages(use_stages: UseStages) -> Iterator[None]:
    """Let an ingest have two stages of a test's own before it ends."""
    use_stages(made_stages.FIRST, made_stages.SECOND, "index")
    made_stages.log.clear()
    made_stages.behavior.clear()
    yield
    made_stages.behavior.clear()


@pytest.fixture
def woken() -> Iterator[mock.Mock]:
    """The wake-ups that were sent."""
    with mock.patch("videos.ingest.schedule.enqueue") as sent:
        yield sent


@pytest.fixture
def video(two_stages: None, arrived: Arrived, woken: mock.Mock) -> Video:
    """A video that waits for its two stages."""
    video = arrived(b"a film")
    woken.assert_called_once_with("videos.tasks.ingest_video", str(video.pk))
    woken.reset_mock()
    return video


def wakes(woken: mock.Mock) -> list[str]:
    """Return the videos for which wake-ups were sent since this was asked last."""
    sent = [call.args[1] for call in woken.call_args_list]
    woken.reset_mock()
    return sent


def read_state(video: Video) -> tuple[str, str]:
    """Return a video's state and error code, read again."""
    video.refresh_from_db()
    return video.state, video.error_code


def job(video: Video, stage: str) -> Job:
    """Return a stage's row, read again."""
    return Job.objects.get(video=video, stage=stage)


def stop_waiting(video: Video) -> None:
    """Let all time that a lease or a pause between attempts still has go by."""
    Job.objects.filter(video=video, lease_expires_at__isnull=False).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
