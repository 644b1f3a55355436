"""Only the worker that holds a lease on all its rows can write, and every attempt is counted."""

from datetime import timedelta
from threading import Thread
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import Settings

from heimdex.leases import RELEASED, Lease, LeaseLost, build_requeue_update, clear_expired, compute_retry_delay, is_unleased
from tests.library import make_user, make_video
from videos.models import Job


@pytest.fixture
def jobs(db: None) -> list[Job]:
    """Create three queued jobs of one video."""
    video = make_video(make_user(), ["A boat."])
    return [Job.objects.create(video=video, owner=video.owner, stage=name, position=place) for place, name in enumerate("abc")]


def acquire(limit: int = 2) -> tuple[Lease, list[Job]]:
    return Lease.acquire(Job.objects.order_by("position"), limit, state=Job.State.RUNNING)


def test_a_row_is_acquired_once_and_again_when_its_lease_has_expired(jobs: list[Job]) -> None:
    lease, acquired = acquire()
    assert [job.stage for job in acquired] == ["a", "b"]
    assert {(job.attempts, job.state, job.lease_token) for job in acquired} == {(1, "running", lease.token)}
    assert set(lease.rows) == set(acquired)
    assert [job.stage for job in acquire()[1]] == ["c"]
    assert acquire()[1] == []

    Job.objects.filter(stage="b").update(lease_expires_at=timezone.now())
    _, (stolen,) = acquire()
    assert (stolen.stage, stolen.attempts) == ("b", 2)


def test_a_lease_is_lost_as_soon_as_another_worker_has_one_of_its_rows(jobs: list[Job]) -> None:
    lease, _ = acquire()
    with lease.transaction():
        Job.objects.update(progress=0.5)
    Job.objects.filter(stage="b").update(lease_token=uuid4())
    with pytest.raises(LeaseLost), lease.transaction():
        Job.objects.update(progress=0.9)
    assert not Job.objects.filter(progress=0.9).exists()


def test_a_lease_is_lost_when_the_rescue_has_released_a_row(jobs: list[Job]) -> None:
    lease, _ = acquire()
    Job.objects.filter(stage="a").update(**RELEASED)
    with pytest.raises(LeaseLost), lease.transaction():
        pass


def test_a_lease_survives_the_deletion_of_a_row_but_not_of_all(jobs: list[Job]) -> None:
    lease, _ = acquire()
    Job.objects.filter(stage="a").delete()
    with lease.transaction():
        pass
    Job.objects.filter(stage="b").delete()
    with pytest.raises(LeaseLost), lease.transaction():
        pass


def test_a_lease_is_renewed_only_when_it_is_due_and_with_its_changes(jobs: list[Job], monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("heimdex.leases.monotonic", lambda: now)
    lease, _ = acquire(1)
    Job.objects.update(lease_expires_at=timezone.now())
    now += settings.LEASE_SECONDS / 10 - 0.001
    lease.renew_if_due(progress=0.3)
    assert not Job.objects.filter(progress=0.3).exists()
    now += 0.001
    lease.renew_if_due(progress=0.4)
    renewed = Job.objects.get(progress=0.4)
    assert renewed.lease_expires_at
    assert renewed.lease_expires_at > timezone.now() + timedelta(seconds=settings.LEASE_SECONDS - 5)
    Job.objects.update(**RELEASED)
    now += settings.LEASE_SECONDS
    with pytest.raises(LeaseLost):
        lease.renew_if_due()


def test_a_release_changes_only_the_rows_that_are_still_held(jobs: list[Job]) -> None:
    lease, _ = acquire()
    Job.objects.filter(stage="b").update(lease_token=uuid4())
    lease.release(state=Job.State.DONE)
    assert dict(Job.objects.values_list("stage", "state")) == {"a": "done", "b": "running", "c": "queued"}
    assert Job.objects.filter(is_unleased()).count() == 2


def test_a_requeued_row_waits_longer_after_each_attempt(jobs: list[Job]) -> None:
    allowed, pause = settings.MAX_ATTEMPTS, settings.RETRY_AFTER_SECONDS
    assert [compute_retry_delay(number) for number in range(1, allowed)] == [
        timedelta(seconds=pause * number) for number in range(1, allowed)
    ]
    assert compute_retry_delay(allowed) == timedelta()
    lease, _ = acquire(1)
    lease.release(state=Job.State.QUEUED, **build_requeue_update(1))
    assert [job.stage for job in acquire(1)[1]] == ["b"]


def test_the_number_of_attempts_is_limited() -> None:
    allowed = settings.MAX_ATTEMPTS
    limits = [(Job(attempts=number).is_last_attempt, Job(attempts=number).is_exhausted) for number in (allowed - 1, allowed, allowed + 1)]
    assert limits == [(False, False), (True, False), (True, True)]


@pytest.mark.django_db(transaction=True)
def test_a_row_that_another_transaction_has_locked_is_skipped(jobs: list[Job]) -> None:
    import threading

    from django.db import connection

    locked, done = threading.Event(), threading.Event()

    def lock() -> None:
        with transaction.atomic():
            Job.objects.select_for_update().get(stage="a")
            locked.set()
            done.wait(10)
        connection.close()

    other = threading.Thread(target=lock)
    other.start()
    locked.wait(10)
    try:
        assert [job.stage for job in acquire()[1]] == ["b", "c"]
    finally:
        done.set()
        other.join()


@pytest.mark.django_db(transaction=True)
def test_a_rescue_leaves_a_lease_that_is_being_acquired(jobs: list[Job]) -> None:
    """An update would wait for the lock, and then judge a row that is joined to others by its old version."""
    Job.objects.update(lease_token=uuid4(), lease_expires_at=timezone.now())

    def clear() -> None:
        with transaction.atomic():
            clear_expired(Job.objects.filter(video__title__gt=""), timezone.now())
        connection.close()

    rescue = Thread(target=clear)
    with transaction.atomic():
        lease, (acquired,) = acquire(1)
        rescue.start()
        # By then it has ended, or waits for the lock.
        rescue.join(1)
    rescue.join()
    assert list(lease.rows) == [acquired]
    assert set(Job.objects.exclude(pk=acquired.pk).values_list("lease_token", flat=True)) == {None}


def test_the_delay_before_a_retry_grows_with_each_attempt(settings: Settings) -> None:
    settings.MAX_ATTEMPTS, settings.RETRY_AFTER_SECONDS = 3, 30
    assert [compute_retry_delay(attempts).total_seconds() for attempts in (1, 2, 3, 4)] == [30, 60, 0, 0]
