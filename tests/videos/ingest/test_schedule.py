"""What nobody works on any more is taken up again, or ended with a reason."""

from dataclasses import replace
from datetime import timedelta
from unittest import mock

import pytest
from django.utils import timezone

from heimdex.storage import get_media_storage
from tests.videos.ingest import made_stages
from tests.videos.ingest.conftest import UseStages, job, read_state, stop_waiting, wakes
from tests.videos.ingest.made_stages import behavior, log
from videos.ingest.pipeline import ingest
from videos.ingest.schedule import rescue
from videos.ingest.stage import StageContext
from videos.ingest.stages import index
from videos.models import Job, Video

pytestmark = pytest.mark.usefixtures("two_stages")


def test_a_killed_worker_is_followed_by_another_and_the_third_death_ends_it(video: Video, woken: mock.Mock) -> None:
    def killed(context: StageContext) -> None:
        raise SystemExit  # As far as our rows can tell: nothing was recorded.

    behavior["second"] = killed
    for _ in range(3):
        with pytest.raises(SystemExit):
            ingest(video.pk)
        assert job(video, "second").state == "running"
        assert rescue() == 0
        stop_waiting(video)
        # First its lease ends, and then a pause.
        assert (rescue(), job(video, "second").state, wakes(woken)) == (0, "queued", [])
        stop_waiting(video)
        assert (rescue(), rescue()) == (1, 0)
        assert wakes(woken) == [str(video.pk)]
    assert log.count("first") == 1
    ingest(video.pk)

    assert read_state(video) == ("failed", "gave_up")
    assert video.error_text.startswith("Processing stopped 3 times in the stage “second”. ")
    assert log.count("second") == 3
    assert not Job.objects.filter(state=Job.State.RUNNING).exists()


def test_a_worker_that_is_killed_at_the_very_end_leaves_nothing_in_a_moving_state(video: Video, use_stages: UseStages) -> None:
    def finish_and_die(context: StageContext) -> None:
        index.run(context)
        raise SystemExit

    use_stages(made_stages.FIRST, made_stages.SECOND, replace(index.STAGE, run=finish_and_die))
    with pytest.raises(SystemExit):
        ingest(video.pk)

    assert read_state(video) == ("indexed", "")
    assert set(Job.objects.values_list("state", "progress")) == {("done", 1.0)}
    stop_waiting(video)
    assert rescue() == 0


def test_a_lost_wake_up_is_sent_again(video: Video, woken: mock.Mock) -> None:
    assert rescue() == 0
    Video.objects.update(woken_at=timezone.now() - timedelta(minutes=11))

    assert (rescue(), rescue()) == (1, 0)

    assert wakes(woken) == [str(video.pk)]
    ingest(video.pk)
    assert read_state(video) == ("indexed", "")


def test_an_upload_that_never_came_ends_and_leaves_nothing(video: Video) -> None:
    get_media_storage().save(video.upload_key, b"half a fi")
    Job.objects.all().delete()
    Video.objects.update(state=Video.State.UPLOADING, upload_expires_at=timezone.now() + timedelta(minutes=1))
    assert rescue() == 0
    Video.objects.update(upload_expires_at=timezone.now() - timedelta(seconds=1))

    assert rescue() == 1

    assert read_state(video) == ("failed", "upload_expired")
    assert video.error_text == "The upload was not finished in time. Upload the file again."
    assert not list(get_media_storage().list_keys(video.storage_prefix))
