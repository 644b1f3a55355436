"""Abandoned work is queued again, or ends with a reason."""

from dataclasses import replace
from datetime import timedelta
from unittest import mock

import pytest
from django.utils import timezone

from heimdex.storage import get_media_storage
from tests.videos.ingest import made_stages
from tests.videos.ingest.conftest import UseStages, expire_waits, get_job, read_state, take_wake_ups
from tests.videos.ingest.made_stages import behaviors, log
from videos.ingest.pipeline import ingest
from videos.ingest.schedule import rescue
from videos.ingest.stage import StageContext
from videos.ingest.stages import index
from videos.models import Job, Video

pytestmark = pytest.mark.usefixtures("two_stages")


def test_a_killed_worker_is_replaced_and_the_third_death_ends_the_ingest(video: Video, enqueued: mock.Mock) -> None:
    def die(context: StageContext) -> None:
        raise SystemExit  # Like a kill: nothing is recorded.

    behaviors["second"] = die
    for _ in range(3):
        with pytest.raises(SystemExit):
            ingest(video.pk)
        assert get_job(video, "second").state == "running"
        assert rescue() == 0
        expire_waits(video)
        # First the lease expires, and then the delay.
        assert (rescue(), get_job(video, "second").state, take_wake_ups(enqueued)) == (0, "queued", [])
        expire_waits(video)
        assert (rescue(), rescue()) == (1, 0)
        assert take_wake_ups(enqueued) == [str(video.pk)]
    assert log.count("first") == 1
    ingest(video.pk)

    assert read_state(video) == ("failed", "gave_up")
    assert video.error_text.startswith("Processing stopped 3 times in the stage “second”. ")
    assert log.count("second") == 3
    assert not Job.objects.filter(state=Job.State.RUNNING).exists()


def test_a_worker_killed_at_the_very_end_leaves_no_unfinished_state(video: Video, use_stages: UseStages) -> None:
    def finish_and_die(context: StageContext) -> None:
        index.run(context)
        raise SystemExit

    use_stages(made_stages.FIRST, made_stages.SECOND, replace(index.STAGE, run=finish_and_die))
    with pytest.raises(SystemExit):
        ingest(video.pk)

    assert read_state(video) == ("indexed", "")
    assert set(Job.objects.values_list("state", "progress")) == {("done", 1.0)}
    expire_waits(video)
    assert rescue() == 0


def test_a_lost_task_is_queued_again(video: Video, enqueued: mock.Mock) -> None:
    assert rescue() == 0
    Video.objects.update(woken_at=timezone.now() - timedelta(minutes=11))

    assert (rescue(), rescue()) == (1, 0)

    assert take_wake_ups(enqueued) == [str(video.pk)]
    ingest(video.pk)
    assert read_state(video) == ("indexed", "")


def test_an_upload_that_never_arrives_expires_and_leaves_nothing(video: Video) -> None:
    get_media_storage().save(video.upload_key, b"half a fi")
    Job.objects.all().delete()
    Video.objects.update(state=Video.State.UPLOADING, upload_expires_at=timezone.now() + timedelta(minutes=1))
    assert rescue() == 0
    Video.objects.update(upload_expires_at=timezone.now() - timedelta(seconds=1))

    assert rescue() == 1

    assert read_state(video) == ("failed", "upload_expired")
    assert video.error_text == "The upload was not finished in time. Upload the file again."
    assert not list(get_media_storage().list_keys(video.storage_prefix))
