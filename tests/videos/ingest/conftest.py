"""Videos whose file has arrived, stages for tests, and the state of an ingest."""

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

AddArrivedVideo = Callable[..., Video]
UseStages = Callable[..., None]


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_user("owner@example.org", None)


@pytest.fixture
def add_arrived_video(owner: User) -> AddArrivedVideo:
    """Return a function that adds a file as a completed upload of the owner."""

    def add_video(file: Path | bytes, **fields: object) -> Video:
        content = file if isinstance(file, bytes) else file.read_bytes()
        given = {"title": "Film", "filename": "film.mp4", "mime_type": "video/mp4", "size_bytes": len(content), **fields}
        soon = timezone.now() + timedelta(hours=1)
        video = Video.objects.create(owner=owner, state=Video.State.VALIDATING, upload_expires_at=soon, **given)
        get_media_storage().save(video.original_key, content, "video/mp4")
        start_ingest(video)
        return video

    return add_video


@pytest.fixture
def use_stages() -> Iterator[UseStages]:
    """Return a function that replaces the ingest's stages during the test, given as stages or as names of registered stages."""
    by_name = {stage.name: stage for stage in list_stages()}
    with ExitStack() as stack:

        def use(*stages: str | Stage) -> None:
            chosen = [by_name[stage] if isinstance(stage, str) else stage for stage in stages]
            stack.enter_context(override_stages(chosen))

        yield use


@pytest.fixture
def two_stages(use_stages: UseStages) -> Iterator[None]:
    """Replace the stages of the ingest by two test stages and `index`."""
    use_stages(made_stages.FIRST, made_stages.SECOND, "index")
    made_stages.log.clear()
    made_stages.behaviors.clear()
    yield
    made_stages.behaviors.clear()


@pytest.fixture
def enqueued() -> Iterator[mock.Mock]:
    """Return a mock that records the queued tasks."""
    with mock.patch("videos.ingest.schedule.enqueue") as sent:
        yield sent


@pytest.fixture
def video(two_stages: None, add_arrived_video: AddArrivedVideo, enqueued: mock.Mock) -> Video:
    """Return a video that waits for its two stages."""
    video = add_arrived_video(b"a film")
    enqueued.assert_called_once_with("videos.tasks.ingest_video", str(video.pk))
    enqueued.reset_mock()
    return video


def take_wake_ups(enqueued: mock.Mock) -> list[str]:
    """Return the ids of the videos whose ingest was queued since the last call."""
    sent = [call.args[1] for call in enqueued.call_args_list]
    enqueued.reset_mock()
    return sent


def read_state(video: Video) -> tuple[str, str]:
    """Return a video's current state and error code."""
    video.refresh_from_db()
    return video.state, video.error_code


def get_job(video: Video, stage: str) -> Job:
    """Return the current job of a stage."""
    return Job.objects.get(video=video, stage=stage)


def expire_waits(video: Video) -> None:
    """Expire the leases, and the delays between attempts, of a video's jobs."""
    Job.objects.filter(video=video, lease_expires_at__isnull=False).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
