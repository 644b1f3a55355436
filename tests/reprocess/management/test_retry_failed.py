"""Operators retry what failed, from the stage that failed, and nothing that cannot succeed."""

import json
import re
from datetime import timedelta
from io import StringIO
from typing import Any
from unittest import mock

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from heimdex.accounts.models import User
from people.models import PeopleRefreshRequest, Person, PersonPhoto
from tests.library import make_user
from videos.ingest.schedule import start_ingest
from videos.models import Job, Video

pytestmark = pytest.mark.django_db

SOON = timezone.now() + timedelta(hours=1)


def add_failed(owner: User, code: str, stage: str = "transcript", age: timedelta = timedelta()) -> Video:
    video = Video.objects.create(owner=owner, title=code, filename="f", mime_type="video/mp4", size_bytes=1, upload_expires_at=SOON)
    start_ingest(video)
    failed = video.jobs.get(stage=stage)
    video.jobs.filter(position__lt=failed.position).update(state=Job.State.DONE, attempts=1)
    video.jobs.filter(position=failed.position).update(state=Job.State.FAILED, attempts=3, waits=7, error="It failed.")
    video.jobs.filter(position__gt=failed.position).update(state=Job.State.SKIPPED)
    Video.objects.filter(pk=video.pk).update(
        state=Video.State.FAILED, error_code=code, error_text="It failed.", updated_at=timezone.now() - age
    )
    return video


def add_photo(owner: User, code: str) -> PersonPhoto:
    person = Person.objects.create(owner=owner, name=code)
    fields: dict[str, Any] = {"filename": "p", "mime_type": "image/jpeg", "size_bytes": 1, "upload_expires_at": SOON}
    return PersonPhoto.objects.create(person=person, owner=owner, state=PersonPhoto.State.FAILED, error_code=code, **fields)


def run(*args: str) -> dict[str, Any]:
    output = StringIO()
    call_command("retry_failed", "--json", *args, stdout=output)
    result: dict[str, Any] = json.loads(output.getvalue())
    return result


@pytest.fixture
def owner() -> User:
    return make_user()


def list_titles(*states: str) -> set[str]:
    return set(Video.objects.filter(state__in=states).values_list("title", flat=True))


def test_failed_videos_continue_at_the_stage_that_failed(owner: User) -> None:
    video, early = add_failed(owner, "storage_failed"), add_failed(owner, "internal_error", "validate")
    photo = add_photo(owner, "model_failed")

    with mock.patch("videos.ingest.schedule.enqueue") as enqueued:
        result = run()

    assert result["videos"] == {"retried": {"internal_error": 1, "storage_failed": 1}, "left_out": {}}
    assert result["photos"] == {"retried": 1, "left_out": 0}
    assert {call.args[1] for call in enqueued.call_args_list} == {str(video.pk), str(early.pk)}
    video.refresh_from_db()
    early.refresh_from_db()
    photo.refresh_from_db()
    assert (video.state, early.state, photo.state) == ("processing", "validating", "uploaded")
    assert (video.error_code, video.error_text) == ("", "")
    jobs = {job.stage: job for job in video.jobs.all()}
    assert (jobs["scenes"].state, jobs["scenes"].attempts) == ("done", 1)
    assert (jobs["transcript"].state, jobs["transcript"].attempts, jobs["transcript"].waits) == ("queued", 0, 0)
    assert jobs["index"].state == "queued"
    assert PeopleRefreshRequest.objects.filter(owner=owner).count() == 1
    assert run()["videos"]["retried"] == {}


def test_what_cannot_succeed_is_left_out_unless_asked_for(owner: User) -> None:
    for code in ("damaged", "upload_expired", "took_too_long"):
        add_failed(owner, code)
    add_photo(owner, "no_face")

    result = run()
    assert result["videos"] == {"retried": {"took_too_long": 1}, "left_out": {"damaged": 1, "upload_expired": 1}}
    assert result["photos"] == {"retried": 0, "left_out": 1}
    assert run("--all")["videos"] == {"retried": {"damaged": 1}, "left_out": {"upload_expired": 1}}
    assert list_titles("failed") == {"upload_expired"}


@pytest.mark.parametrize(
    ("args", "titles"),
    [
        (["--stage", "scenes"], {"b"}),
        (["--stage", "photo"], set()),
        (["--error-code", "a"], {"a"}),
        (["--since", (timezone.now() - timedelta(hours=1)).isoformat()], {"b", "c"}),
        (["--owner", "other@example.org"], {"c"}),
        (["--owner", "other@example.org", "--error-code", "a"], set()),
    ],
)
def test_filters(owner: User, args: list[str], titles: set[str]) -> None:
    add_failed(owner, "a", age=timedelta(hours=2))
    add_failed(owner, "b", "scenes")
    add_failed(make_user("other@example.org"), "c")

    dry = run(*args, "--dry-run")
    assert set(dry["videos"]["retried"]) == titles
    assert list_titles("failed") == {"a", "b", "c"}, "a dry run changes nothing"
    assert run(*args)["videos"] == dry["videos"]
    assert list_titles("processing", "validating") == titles


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (["--stage", "cutting"], "There is no stage cutting. Use one of validate, "),
        (["--owner", "nobody@example.org"], "nobody@example.org"),
        (["--error-code", "storage_faild"], "There is no error code storage_faild. Use one of broken_timestamps, "),
        (["--error-code", "b", "--dry-run"], "no_face, "),
        (["--stage", "photo", "--error-code", "b"], "storage_failed, "),
    ],
)
def test_wrong_usage_ends_with_2_and_names_what_is_known(args: list[str], text: str) -> None:
    with pytest.raises(CommandError, match=re.escape(text)) as error:
        call_command("retry_failed", *args)
    assert error.value.returncode == 2


def test_the_code_of_an_added_stage_is_known_while_a_video_has_it(owner: User) -> None:
    add_failed(owner, "no_subtitles")
    assert run("--error-code", "no_subtitles")["videos"]["retried"] == {"no_subtitles": 1}
    with pytest.raises(CommandError, match="no error code no_subtitles"):
        run("--error-code", "no_subtitles")


def test_the_text_has_the_counts(owner: User) -> None:
    add_failed(owner, "storage_failed")
    add_failed(owner, "damaged")
    output = StringIO()
    call_command("retry_failed", "--dry-run", stdout=output)
    assert output.getvalue().splitlines() == [
        "  1 with storage_failed",
        "Would retry 1 video(s) and 0 photo(s).",
        "Left out 1 that cannot succeed with the same file (1 with damaged).",
    ]


def test_the_admin_retries_selected_videos_and_photos(owner: User) -> None:
    add_failed(owner, "storage_failed")
    add_failed(owner, "damaged")
    photo = add_photo(owner, "model_failed")
    browser = Client()
    browser.force_login(User.objects.create_superuser("admin@example.org", None))

    videos = {"action": "retry_videos", "_selected_action": list(Video.objects.values_list("pk", flat=True))}
    page = browser.post(reverse("admin:videos_video_changelist"), videos, follow=True).content.decode()
    assert "Retrying 1 failed video(s)." in page
    assert "1 video(s) were left out" in page
    assert list_titles("processing") == {"storage_failed"}

    photos = {"action": "retry_photos", "_selected_action": [photo.pk]}
    page = browser.post(reverse("admin:people_personphoto_changelist"), photos, follow=True).content.decode()
    assert "Retrying 1 failed photo(s)." in page
