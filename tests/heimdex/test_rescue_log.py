"""The log names rescued work once, and only if its worker was lost."""

from datetime import timedelta
from threading import Barrier, Thread
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ

from heimdex.leases import RESCUED
from people.models import Person, PersonPhoto
from people.photos.state import rescue_photos
from reprocess.models import ReprocessItem, ReprocessRun
from reprocess.planning.scope import Scope
from reprocess.runs.requests import start_run
from reprocess.runs.rescue import rescue_runs
from tests.library import make_user, make_video
from videos.ingest.schedule import rescue
from videos.models import Job, Video

pytestmark = pytest.mark.django_db(transaction=True)

PAST = timedelta(seconds=1)


def count_rescued(caplog: pytest.LogCaptureFixture) -> int:
    return sum(RESCUED in record.getMessage() for record in caplog.records)


@pytest.fixture
def run() -> ReprocessRun:
    make_video(make_user(), ["A boat at sea."])
    return start_run(Scope("all"), force=False, entry_point="command", requested_by=None)


@pytest.fixture
def job() -> Job:
    """Return a job that a worker runs."""
    video = make_video(make_user(), ["A boat at sea."])
    Video.objects.update(state=Video.State.PROCESSING, woken_at=timezone.now())
    return Job.objects.create(
        video=video, owner=video.owner, stage="embed", position=0, state=Job.State.RUNNING, attempts=1, lease_token=uuid4()
    )


def test_the_items_of_a_lost_worker_are_logged_once(run: ReprocessRun, caplog: pytest.LogCaptureFixture) -> None:
    ReprocessItem.objects.update(state="running", lease_token=uuid4(), lease_expires_at=timezone.now() - PAST)
    assert [rescue_runs() for _ in range(3)] == [1, 0, 0]
    assert count_rescued(caplog) == 1


def test_a_run_that_waits_for_a_worker_is_not_logged_as_rescued(run: ReprocessRun, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        ReprocessRun.objects.update(woken_at=timezone.now() - timedelta(hours=1))
        assert rescue_runs() == 1
    assert count_rescued(caplog) == 0


def test_a_lost_ingest_is_logged_once_though_its_next_attempt_is_delayed(job: Job, caplog: pytest.LogCaptureFixture) -> None:
    Job.objects.update(lease_expires_at=timezone.now() - PAST)
    assert rescue() == 0
    assert Job.objects.get().state == "queued"
    Job.objects.update(lease_expires_at=timezone.now() - PAST)
    assert [rescue() for _ in range(2)] == [1, 0]
    assert count_rescued(caplog) == 1


def test_a_delayed_retry_is_not_logged_as_rescued(job: Job, caplog: pytest.LogCaptureFixture) -> None:
    Job.objects.update(state="queued", lease_token=None, lease_expires_at=timezone.now() - PAST)
    assert rescue() == 1
    assert count_rescued(caplog) == 0


def test_a_lost_photo_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    owner = make_user()
    person = Person.objects.create(owner=owner, name="Eileen")
    expired = timezone.now() - PAST
    PersonPhoto.objects.create(
        person=person,
        owner=owner,
        filename="photo.jpg",
        mime_type="image/jpeg",
        size_bytes=1,
        state="processing",
        attempts=1,
        lease_token=uuid4(),
        lease_expires_at=expired,
        upload_expires_at=timezone.now() + timedelta(hours=1),
    )
    rescue_photos()
    PersonPhoto.objects.update(lease_expires_at=expired)
    rescue_photos()
    assert count_rescued(caplog) == 1


def test_two_rescues_at_once_wake_and_log_a_run_once(run: ReprocessRun, caplog: pytest.LogCaptureFixture) -> None:
    for round_ in range(1, 21):
        OrmQ.objects.all().delete()
        ReprocessItem.objects.update(state="running", lease_token=uuid4(), lease_expires_at=timezone.now() - PAST)
        barrier = Barrier(2)

        def rescue_and_close(barrier: Barrier = barrier) -> None:
            connection.ensure_connection()
            barrier.wait(settings.LEASE_SECONDS)
            rescue_runs()
            connection.close()

        threads = [Thread(target=rescue_and_close) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (OrmQ.objects.count(), count_rescued(caplog)) == (1, round_)
