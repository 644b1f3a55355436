"""The depth of a queue and the longest wait come from the rows that wait, whatever happened to their tasks."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db.models import F
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ

from heimdex import queue
from heimdex.backlog import Backlog, measure_backlogs
from heimdex.queue import REPROCESS, TaskCounts, count_tasks
from people.models import Person, PersonPhoto
from reprocess.actions.runs import pause_run
from reprocess.models import ReprocessItem, ReprocessRun
from reprocess.planning.scope import Scope
from reprocess.runs.requests import start_run
from tests.library import make_user, make_video
from videos.models import Job, Video

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_tasks() -> None:
    OrmQ.objects.all().delete()


def start() -> ReprocessRun:
    return start_run(Scope("all"), force=False, entry_point="command", requested_by=None)


def measure(queue_name: str) -> tuple[int, int, int]:
    """Return how many wait, how many are in progress, and the longest wait in minutes."""
    (backlog,) = (backlog for backlog in measure_backlogs() if backlog.queue == queue_name)
    return backlog.waiting, backlog.in_progress, round(backlog.oldest_wait_s / 60)


def set_lease(rows: object, *, expires_in_s: float) -> None:
    rows.update(lease_token=uuid4(), lease_expires_at=timezone.now() + timedelta(seconds=expires_in_s))  # type: ignore[attr-defined]


def test_items_of_a_run_wait_although_a_process_has_taken_its_task() -> None:
    owner = make_user()
    for number in range(5):
        make_video(owner, ["A word."], title=str(number))
    run = start()
    ReprocessRun.objects.update(created_at=F("created_at") - timedelta(minutes=13))
    queue._get_broker(REPROCESS).dequeue()
    assert count_tasks(REPROCESS) == TaskCounts(waiting=0, unacked=1)
    assert measure("reprocess") == (5, 0, 13)

    items = list(run.items.values_list("pk", flat=True))
    set_lease(ReprocessItem.objects.filter(pk__in=items[:2]), expires_in_s=30)
    set_lease(ReprocessItem.objects.filter(pk=items[2]), expires_in_s=-1)
    assert measure("reprocess") == (3, 2, 13), "the third item's worker is lost"
    pause_run(run.pk)
    assert measure("reprocess") == (0, 0, 0), "a paused run waits for an operator"


def test_videos_and_photos_wait_without_any_task() -> None:
    owner = make_user()
    waiting, running, done = (make_video(owner, ["A word."], title=title) for title in ("waiting", "running", "done"))
    Video.objects.filter(pk__in=[waiting.pk, running.pk]).update(
        state=Video.State.PROCESSING, updated_at=timezone.now() - timedelta(minutes=5)
    )
    for video in (waiting, running, done):
        Job.objects.create(video=video, owner=owner, stage="probe", position=0)
    set_lease(Job.objects.filter(video=running), expires_in_s=30)
    # The pause before the next attempt is no lease.
    Job.objects.filter(video=waiting).update(lease_expires_at=timezone.now() + timedelta(seconds=30))
    photo = PersonPhoto.objects.create(
        person=Person.objects.create(owner=owner, name="Ana"),
        owner=owner,
        filename="face.jpg",
        mime_type="image/jpeg",
        size_bytes=1,
        state=PersonPhoto.State.UPLOADED,
        upload_expires_at=timezone.now(),
    )
    assert not OrmQ.objects.exists()
    assert measure("uploads") == (2, 1, 5)
    set_lease(PersonPhoto.objects.filter(pk=photo.pk), expires_in_s=30)
    assert measure("uploads") == (1, 2, 5)


def test_admin_and_status_show_the_same_numbers(admin_client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    make_video(make_user(), ["A word."])
    start()
    OrmQ.objects.all().delete()
    assert "reprocess: 1 waiting (longest 0 s), 0 in progress" in admin_client.get("/admin/django_q/success/").content.decode()
    with pytest.raises(SystemExit):
        call_command("status")
    assert "Queue reprocess: 1 waiting (longest 0 s), 0 in progress\n" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        call_command("status", "--json")
    queues = json.loads(capsys.readouterr().out)["queues"]
    assert [(shown["queue"], shown["waiting"], shown["in_progress"]) for shown in queues] == [("uploads", 0, 0), ("reprocess", 1, 0)]


def test_the_summary_of_a_queue_names_the_longest_wait_only_if_something_waits() -> None:
    assert str(Backlog("uploads", 2, 1, 7.4)) == "uploads: 2 waiting (longest 7 s), 1 in progress"
    assert str(Backlog("uploads", 0, 1, 0.0)) == "uploads: 0 waiting, 1 in progress"
