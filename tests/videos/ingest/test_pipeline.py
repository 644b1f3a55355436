"""What becomes of a video when a stage, a worker or the storage fails, on stages made for the purpose."""

import time
from collections.abc import Iterator
from unittest import mock
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from heimdex.media.errors import MediaError, MediaErrorCode
from heimdex.storage import get_media_storage
from tests import media
from tests.videos.ingest import made_stages
from tests.videos.ingest.conftest import Arrived, UseStages, job, read_state, stop_waiting, wakes
from tests.videos.ingest.made_stages import Behavior, behavior, fails, log, rename
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
    ids=["after what is done", "before what is done"],
)
def test_a_stage_that_is_new_since_the_upload_is_run_in_its_place(
    video: Video, new: str, known: dict[str, str], repeated: list[str]
) -> None:
    video.jobs.filter(stage=new).delete()
    for place, (stage, state) in enumerate(known.items()):
        video.jobs.filter(stage=stage).update(position=place, state=state)

    ingest(video.pk)

    assert read_state(video) == ("indexed", "")
    assert log == repeated
    assert list(video.jobs.values_list("stage", "position", "state")) == [("first", 0, "done"), ("second", 1, "done"), ("index", 2, "done")]


def test_an_unexpected_error_is_tried_three_times_and_ends_in_a_sentence(video: Video, woken: mock.Mock) -> None:
    behavior["second"] = fails(KeyError("lost_key"))

    for attempt in (1, 2):
        ingest(video.pk)
        assert read_state(video) == ("validating", "")
        waiting = job(video, "second")
        assert (waiting.state, waiting.attempts) == ("queued", attempt)
        # Not before its pause is over, and then once.
        ingest(video.pk)
        assert (rescue(), job(video, "second").attempts) == (0, attempt)
        stop_waiting(video)
        assert (rescue_videos(), rescue_videos()) == (1, 0)
        assert wakes(woken) == [str(video.pk)]
    ingest(video.pk)

    assert read_state(video) == ("failed", "internal_error")
    assert video.error_text == (
        "An internal error occurred in the stage “second”. You can retry. If it happens again, give your administrator this video's id."
    )
    ended = job(video, "second")
    assert (ended.state, ended.attempts, ended.error, ended.lease_token) == ("failed", 3, video.error_text, None)
    assert (job(video, "first").state, job(video, "index").state) == ("done", "skipped")
    assert log == ["first", "second", "second", "second"]
    stop_waiting(video)
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
def test_an_owner_reads_reasons_and_no_internals(video: Video, settings: LazySettings, error: Exception, reason: str) -> None:
    settings.MAX_ATTEMPTS = 1
    behavior["first"] = fails(error)

    ingest(video.pk)

    assert read_state(video) == ("failed", "internal_error")
    assert reason in video.error_text


def test_an_error_while_the_database_is_away_is_left_to_the_rescue(video: Video, woken: mock.Mock) -> None:
    behavior["first"] = fails(DatabaseError("the connection is closed"))
    with pytest.raises(DatabaseError):
        ingest(video.pk)
    assert job(video, "first").state == "running"
    assert rescue() == 0

    behavior.clear()
    stop_waiting(video)
    assert rescue() == 0
    stop_waiting(video)
    assert rescue() == 1
    ingest(video.pk)

    assert read_state(video) == ("indexed", "")


def test_two_workers_never_run_one_stage_at_once(video: Video) -> None:
    behavior["first"] = lambda context: ingest(context.video.pk)

    ingest(video.pk)

    assert log == ["first", "second"]
    assert read_state(video) == ("indexed", "")


@pytest.mark.parametrize("end", [rename, fails(MediaError(MediaErrorCode.DAMAGED, "It is damaged.")), fails(KeyError("x"))])
def test_a_worker_that_lost_its_lease_writes_nothing_and_stops(video: Video, end: Behavior) -> None:
    def late(context: StageContext) -> None:
        context.lease.rows.update(lease_token=uuid4(), attempts=2)
        end(context)

    behavior["first"] = late
    for attempts in (3, 1):
        Job.objects.filter(stage="first").update(state=Job.State.QUEUED, attempts=attempts - 1, lease_expires_at=None)
        ingest(video.pk)

        assert read_state(video) == ("validating", "")
        assert video.title == "Film"
        held = job(video, "first")
        assert (held.state, held.attempts, held.error) == ("running", 2, "")
        assert "second" not in log


def test_progress_keeps_the_lease_and_notices_its_loss(video: Video, settings: LazySettings) -> None:
    settings.LEASE_SECONDS = 0.001
    seen: list[object] = []

    def long(context: StageContext) -> None:
        before = job(video, "first").lease_expires_at
        context.report_progress(0.25)
        after = job(video, "first")
        assert before is not None
        assert after.lease_expires_at is not None
        seen.extend([after.lease_expires_at > before, after.progress])
        Job.objects.update(lease_token=None)
        context.report_progress(0.5)
        seen.append("went on")

    behavior["first"] = long
    ingest(video.pk)

    assert seen == [True, 0.25]
    assert (read_state(video), log) == (("validating", ""), ["first"])


@pytest.mark.django_db(transaction=True)
def test_a_stage_that_says_nothing_for_long_keeps_its_lease(video: Video, settings: LazySettings) -> None:
    settings.LEASE_SECONDS = 2
    found: list[int] = []

    def silent(context: StageContext) -> None:
        taken = job(video, "first").lease_expires_at
        assert taken is not None
        while timezone.now() <= taken:
            time.sleep(0.1)
        found.append(rescue())
        rename(context)

    behavior["first"] = silent
    ingest(video.pk)

    assert read_state(video) == ("indexed", "")
    assert found == [0]
    assert set(Job.objects.values_list("attempts", "lease_token", "lease_expires_at")) == {(1, None, None)}


def test_a_file_that_the_storage_lost_ends_the_ingest(arrived: Arrived, use_stages: UseStages) -> None:
    use_stages("validate")
    video = arrived(b"a film")
    get_media_storage().delete(video.original_key)

    ingest(video.pk)

    assert read_state(video) == ("failed", "file_missing")
    assert video.error_text == "The stored file of this video is missing, so it cannot be processed. Upload it again."


@pytest.mark.parametrize("moment", ["iter_scenes", "get_media_storage", "error"])
def test_a_video_that_is_deleted_during_its_ingest_leaves_no_file_and_no_row(
    arrived: Arrived, use_stages: UseStages, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks, moment: str
) -> None:
    use_stages("scenes", made_stages.SECOND)
    video = arrived(media.build_video((50, 90)))

    decoded = StageContext.decode

    def deleting(context: StageContext, *args: object) -> Iterator[object]:
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

    with mock.patch.object(StageContext, "decode", deleting):
        ingest(video.pk)

    assert log == []
    assert not Video.objects.exists()
    assert not Scene.objects.exists()
    assert not list(get_media_storage().list_keys(video.storage_prefix))
