"""An ingest when a stage, a worker or the storage fails, with test stages."""

import time
from collections.abc import Iterator
from unittest import mock
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from heimdex.media.errors import MediaError, MediaErrorCode
from heimdex.storage import get_media_storage
from tests import media
from tests.videos.ingest import made_stages
from tests.videos.ingest.conftest import AddArrivedVideo, UseStages, expire_waits, get_job, read_state, take_wake_ups
from tests.videos.ingest.made_stages import Behavior, behaviors, log, make_failing, rename
from videos.actions.videos import delete_video
from videos.ingest.pipeline import ingest
from videos.ingest.schedule import rescue
from videos.ingest.stage import StageContext
from videos.models import Job, Scene, Video
from videos.tasks import ingest_video, rescue_videos

pytestmark = pytest.mark.usefixtures("two_stages")


def test_the_task_runs_every_stage_once(video: Video) -> None:
    ingest_video(str(video.pk))
    ingest_video(str(video.pk))

    assert read_state(video) == ("indexed", "")
    assert log == ["first", "second"]
    assert set(Job.objects.values_list("state", "attempts", "lease_token")) == {("done", 1, None)}


@pytest.mark.django_db
def test_the_task_of_a_deleted_video_does_nothing() -> None:
    ingest_video(str(uuid4()))

    assert log == []


@pytest.mark.parametrize(
    ("new", "known", "repeated"),
    [("second", {"first": "done", "index": "queued"}, ["second"]), ("first", {"second": "done", "index": "queued"}, ["first", "second"])],
    ids=["after finished stages", "before finished stages"],
)
def test_a_stage_added_after_the_upload_runs_at_its_position(video: Video, new: str, known: dict[str, str], repeated: list[str]) -> None:
    video.jobs.filter(stage=new).delete()
    for place, (stage, state) in enumerate(known.items()):
        video.jobs.filter(stage=stage).update(position=place, state=state)

    ingest(video.pk)

    assert read_state(video) == ("indexed", "")
    assert log == repeated
    assert list(video.jobs.values_list("stage", "position", "state")) == [("first", 0, "done"), ("second", 1, "done"), ("index", 2, "done")]


def test_after_three_unexpected_errors_the_ingest_fails_with_a_reason(video: Video, enqueued: mock.Mock) -> None:
    behaviors["second"] = make_failing(KeyError("lost_key"))

    for attempt in (1, 2):
        ingest(video.pk)
        assert read_state(video) == ("validating", "")
        waiting = get_job(video, "second")
        assert (waiting.state, waiting.attempts) == ("queued", attempt)
        # It is retried once, and not before its delay is over.
        ingest(video.pk)
        assert (rescue(), get_job(video, "second").attempts) == (0, attempt)
        expire_waits(video)
        assert (rescue_videos(), rescue_videos()) == (1, 0)
        assert take_wake_ups(enqueued) == [str(video.pk)]
    ingest(video.pk)

    assert read_state(video) == ("failed", "internal_error")
    assert video.error_text == (
        "An internal error occurred in the stage “second”. You can retry. If it happens again, give your administrator this video's id."
    )
    ended = get_job(video, "second")
    assert (ended.state, ended.attempts, ended.error, ended.lease_token) == ("failed", 3, video.error_text, None)
    assert (get_job(video, "first").state, get_job(video, "index").state) == ("done", "skipped")
    assert log == ["first", "second", "second", "second"]
    expire_waits(video)
    assert rescue() == 0


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ImproperlyConfigured("No model: correct HEIMDEX_MODELS."), "the stage “first”: No model: correct HEIMDEX_MODELS. You"),
        (RuntimeError("The weights are not there: install them.\n  at 0x7f"), ": The weights are not there: install them. You"),
        (RuntimeError(), "in the stage “first”. You"),
        (FileNotFoundError(2, "No such file", "/srv/heimdex/objects/x"), "in the stage “first”. You"),
        (ValueError("invalid literal for int()"), "in the stage “first”. You"),
    ],
)
def test_owners_read_reasons_and_no_internals(video: Video, settings: LazySettings, error: Exception, reason: str) -> None:
    settings.MAX_ATTEMPTS = 1
    behaviors["first"] = make_failing(error)

    ingest(video.pk)

    assert read_state(video) == ("failed", "internal_error")
    assert reason in video.error_text


def test_a_failure_without_database_is_left_to_the_rescue(video: Video, enqueued: mock.Mock) -> None:
    behaviors["first"] = make_failing(OperationalError("the connection is closed"))
    with mock.patch("videos.ingest.pipeline.wait_for_database", return_value=False), pytest.raises(OperationalError):
        ingest(video.pk)
    assert get_job(video, "first").state == "running"
    assert rescue() == 0

    behaviors.clear()
    expire_waits(video)
    assert rescue() == 0
    expire_waits(video)
    assert rescue() == 1
    ingest(video.pk)

    assert read_state(video) == ("indexed", "")


def test_two_workers_never_run_the_same_stage(video: Video) -> None:
    behaviors["first"] = lambda context: ingest(context.video.pk)

    ingest(video.pk)

    assert log == ["first", "second"]
    assert read_state(video) == ("indexed", "")


@pytest.mark.parametrize("end", [rename, make_failing(MediaError(MediaErrorCode.DAMAGED, "It is damaged.")), make_failing(KeyError("x"))])
def test_a_worker_that_lost_its_lease_writes_nothing_and_stops(video: Video, end: Behavior) -> None:
    def finish_late(context: StageContext) -> None:
        context.lease.rows.update(lease_token=uuid4(), attempts=2)
        end(context)

    behaviors["first"] = finish_late
    for attempts in (3, 1):
        Job.objects.filter(stage="first").update(state=Job.State.QUEUED, attempts=attempts - 1, lease_expires_at=None)
        ingest(video.pk)

        assert read_state(video) == ("validating", "")
        assert video.title == "Film"
        job = get_job(video, "first")
        assert (job.state, job.attempts, job.error) == ("running", 2, "")
        assert "second" not in log


def test_progress_renews_the_lease_and_detects_its_loss(video: Video, settings: LazySettings) -> None:
    settings.LEASE_SECONDS = 0.001
    seen: list[object] = []

    def run_long(context: StageContext) -> None:
        before = get_job(video, "first").lease_expires_at
        context.report_progress(0.25)
        after = get_job(video, "first")
        assert before is not None
        assert after.lease_expires_at is not None
        seen.extend([after.lease_expires_at > before, after.progress])
        Job.objects.update(lease_token=None)
        context.report_progress(0.5)
        seen.append("went on")

    behaviors["first"] = run_long
    ingest(video.pk)

    assert seen == [True, 0.25]
    assert (read_state(video), log) == (("validating", ""), ["first"])


@pytest.mark.django_db(transaction=True)
def test_a_stage_without_progress_keeps_its_lease(video: Video, settings: LazySettings) -> None:
    settings.LEASE_SECONDS = 2
    rescued: list[int] = []

    def stay_silent(context: StageContext) -> None:
        taken = get_job(video, "first").lease_expires_at
        assert taken is not None
        while timezone.now() <= taken:
            time.sleep(0.1)
        rescued.append(rescue())
        rename(context)

    behaviors["first"] = stay_silent
    ingest(video.pk)

    assert read_state(video) == ("indexed", "")
    assert rescued == [0]
    assert set(Job.objects.values_list("attempts", "lease_token", "lease_expires_at")) == {(1, None, None)}


def test_a_missing_file_ends_the_ingest(add_arrived_video: AddArrivedVideo, use_stages: UseStages) -> None:
    use_stages("validate")
    video = add_arrived_video(b"a film")
    get_media_storage().delete(video.original_key)

    ingest(video.pk)

    assert read_state(video) == ("failed", "file_missing")
    assert video.error_text == "The stored file of this video is missing, so it cannot be processed. Upload it again."


@pytest.mark.parametrize("moment", ["iter_scenes", "get_media_storage", "error"])
def test_a_video_deleted_during_its_ingest_leaves_no_file_and_no_row(
    add_arrived_video: AddArrivedVideo,
    use_stages: UseStages,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    moment: str,
) -> None:
    use_stages("scenes", made_stages.SECOND)
    video = add_arrived_video(media.build_video((50, 90)))

    decoded = StageContext.decode

    def delete_while_decoding(context: StageContext, *args: object) -> Iterator[object]:
        def delete() -> None:
            with django_capture_on_commit_callbacks(execute=True):
                delete_video(Video.objects.get(pk=video.pk))

        if moment == "iter_scenes":
            delete()
        yield from decoded(context, *args)  # type: ignore[arg-type]
        if moment != "iter_scenes":
            delete()
        if moment == "error":
            raise MediaError(MediaErrorCode.DAMAGED, "It is damaged.")

    with mock.patch.object(StageContext, "decode", delete_while_decoding):
        ingest(video.pk)

    assert log == []
    assert not Video.objects.exists()
    assert not Scene.objects.exists()
    assert not list(get_media_storage().list_keys(video.storage_prefix))
