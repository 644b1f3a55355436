"""Every registered task resolves and has a queue, and only registered tasks can be enqueued."""

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import Client, override_settings
from django.utils import timezone
from django_q.models import OrmQ, Success

from heimdex.queue import Task, enqueue


def test_every_registered_task_resolves() -> None:
    assert all(callable(task.resolve()) for task in settings.QUEUE_TASKS)


@override_settings(QUEUE_TASKS=[Task("videos.tasks.no_such_task", queue="uploads"), Task("videos.tasks.ingest_video", queue="elsewhere")])
def test_a_path_that_does_not_resolve_stops_every_command() -> None:
    with pytest.raises(SystemCheckError, match=r"no_such_task.*does not resolve") as error:
        call_command("check")
    assert "unknown queue 'elsewhere'" in str(error.value)


@pytest.mark.django_db(transaction=True)
def test_only_registered_tasks_can_be_queued_and_go_to_their_queue() -> None:
    with pytest.raises(LookupError, match="register it there"):
        enqueue("os.system", "true")
    OrmQ.objects.all().delete()
    enqueue("videos.tasks.ingest_video", "x")
    enqueue("reprocess.tasks.work_run", "y")
    assert sorted(OrmQ.objects.values_list("key", flat=True)) == ["reprocess", "uploads"]


@pytest.mark.django_db
def test_the_admin_shows_finished_tasks_and_lets_nobody_edit_tasks(admin_client: Client) -> None:
    Success.objects.create(
        id="1", name="a", func="videos.tasks.rescue_videos", started=timezone.now(), stopped=timezone.now(), success=True
    )
    assert "videos.tasks.rescue_videos" in admin_client.get("/admin/django_q/success/").content.decode()
    assert admin_client.get("/admin/django_q/success/1/change/").status_code == 200
    for page in ("schedule/", "schedule/add/", "ormq/", "success/add/"):
        assert admin_client.get(f"/admin/django_q/{page}").status_code in (403, 404)
