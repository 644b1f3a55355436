"""The minutes of an owner's quota count once a video's length is known."""

import threading
from collections.abc import Iterator
from unittest import mock

import pytest
from django.db import connection

from heimdex.accounts.models import User
from heimdex.media.errors import MediaErrorCode
from tests.library import make_video
from tests.videos.ingest.conftest import AddArrivedVideo, UseStages, read_state
from videos.actions.videos import retry_video
from videos.ingest.pipeline import ingest
from videos.models import Video, VideoMetadata

FACTS = {"container": "mp4", "width": 1280, "height": 720, "fps": 25, "video_codec": "h264"}


@pytest.fixture
def lasting_90_s(use_stages: UseStages) -> Iterator[None]:
    """Run only the probe and the end of the ingest, on files that last 90 seconds by the word of a mock."""
    use_stages("probe", "index")
    info = mock.Mock(container="mp4", duration_s=90.0, width=1280, height=720, fps=25.0, rotation=0, video_codec="h264", audio_codec="")
    with mock.patch("videos.ingest.stage.SourceFile.info", info):
        yield


def test_a_video_beyond_the_minutes_fails_with_the_fix_and_can_be_retried(
    owner: User, add_arrived_video: AddArrivedVideo, lasting_90_s: None
) -> None:
    User.objects.update(max_minutes=2)
    other = make_video(owner, ["Hello."])
    VideoMetadata.objects.create(video=other, owner=owner, duration_s=45.0, **FACTS)
    video = add_arrived_video(b"a film")

    ingest(video.pk)

    assert read_state(video) == ("failed", "over_quota")
    assert video.error_text == (
        "This video lasts 1.5 minutes, but only 1.2 of your 2 minutes are left. Delete other videos, or ask an administrator for more "
        "minutes. Then retry."
    )
    # A failed attempt does not use up minutes, and what is stored can be tried again.
    assert not VideoMetadata.objects.filter(video=video).exists()
    assert video.can_retry
    other.delete()
    retry_video(owner, video.pk)
    ingest(video.pk)
    assert read_state(video) == ("indexed", "")


@pytest.mark.django_db(transaction=True)
def test_two_videos_at_the_same_time_cannot_use_the_same_minutes(
    owner: User, add_arrived_video: AddArrivedVideo, lasting_90_s: None
) -> None:
    User.objects.update(max_minutes=2)
    videos = [add_arrived_video(b"a film") for _ in range(4)]
    together = threading.Barrier(len(videos))

    def ingest_together(video: Video) -> None:
        together.wait()
        ingest(video.pk)
        connection.close()

    threads = [threading.Thread(target=ingest_together, args=(video,)) for video in videos]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(read_state(video) for video in videos) == [("failed", "over_quota")] * 3 + [("indexed", "")]


def test_a_video_that_was_accepted_stays_accepted(owner: User, add_arrived_video: AddArrivedVideo, lasting_90_s: None) -> None:
    User.objects.update(max_minutes=2)
    video = add_arrived_video(b"a film")
    ingest(video.pk)
    assert read_state(video) == ("indexed", "")
    User.objects.update(max_minutes=1)
    # As when a missing image is restored.
    Video.objects.update(state=Video.State.FAILED, error_code=MediaErrorCode.TOOK_TOO_LONG)
    retry_video(owner, video.pk)
    ingest(video.pk)
    assert read_state(video) == ("indexed", "")
