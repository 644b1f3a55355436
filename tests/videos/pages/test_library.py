"""The library page."""

import re
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from heimdex.accounts.models import User
from heimdex.profiles import FASTER_WHISPER
from heimdex.storage import get_media_storage
from tests.library import make_image, make_video
from tests.videos.pages.conftest import extract_text, read
from videos.models import Job, Video, VideoMetadata
from videos.pages.library import PER_PAGE
from videos.registry import list_stages


def _create_video(owner: User, title: str, state: str, **fields: Any) -> Video:
    soon = timezone.now() + timedelta(hours=1)
    given = {"filename": "f.mp4", "mime_type": "video/mp4", "size_bytes": 3, "upload_expires_at": soon}
    return Video.objects.create(owner=owner, title=title, state=state, **{**given, **fields})


def _create_video_in_progress(owner: User, title: str = "In progress") -> Video:
    """Create a video with three finished stages and a half-finished one."""
    video = _create_video(owner, title, Video.State.PROCESSING)
    states = [Job.State.DONE] * 3 + [Job.State.RUNNING] + [Job.State.QUEUED] * 5
    for position, (stage, state) in enumerate(zip([stage.name for stage in list_stages()], states, strict=True)):
        progress = 0.5 if state == Job.State.RUNNING else 0
        Job.objects.create(video=video, owner=owner, stage=stage, position=position, state=state, progress=progress)
    return video


def test_an_empty_library_explains_how_to_add_videos(browser: Client) -> None:
    page = extract_text(read(browser, "/"))

    assert "No videos yet" in page
    assert "Choose or drop a video above" in page
    assert "Uploads in the browser need JavaScript. On the server, run “manage.py ingest" in page


def test_a_ready_video_shows_its_first_thumbnail_and_its_duration(browser: Client, owner: User) -> None:
    video = make_video(owner, title="At sea")
    VideoMetadata.objects.create(
        video=video, owner=owner, container="mp4", duration_s=75.9, width=1280, height=720, fps=25, video_codec="h264"
    )
    video.scenes.filter(index=0).update(keyframe_hash="")
    second = video.scenes.get(index=1)
    get_media_storage().save(second.thumbnail_key, make_image(1), "image/jpeg")

    page = read(browser, "/")
    urls = re.findall(r'<img src="([^"]+)"', page)

    assert "1:15" in page
    assert "Ready" in page
    assert f'<a href="/videos/{video.pk}/">At sea</a>' in page
    assert len(urls) == 1
    assert b"".join(browser.get(urls[0])) == make_image(1)


def test_videos_are_paginated_newest_first(browser: Client, owner: User) -> None:
    now = timezone.now()
    for age in range(PER_PAGE + 1):
        _create_video(owner, f"Film {age:02}", Video.State.INDEXED, created_at=now - timedelta(days=age))

    first, second = read(browser, "/"), read(browser, "/?page=2")

    assert re.findall(r"Film \d\d", first) == [f"Film {age:02}" for age in range(PER_PAGE)]
    assert re.findall(r"Film \d\d", second) == [f"Film {PER_PAGE:02}"]
    assert 'rel="next" href="?page=2"' in first
    assert "Page 2 of 2" in second
    assert "Page 1 of 2" in read(browser, "/?page=nonsense")


def test_a_video_in_progress_shows_its_stage_and_percentage(browser: Client, owner: User) -> None:
    video = _create_video_in_progress(owner)

    page = read(browser, "/")
    status = browser.get(f"/v1/videos/{video.pk}/status").json()

    assert f"Transcribing speech {status['progress']} %" in extract_text(page)
    assert f'<progress max="100" value="{status["progress"]}"' in page
    assert f'data-status-url="/v1/videos/{video.pk}/status"' in page
    assert 'aria-live="polite"' in page
    assert 0 < status["progress"] < 100


def test_a_video_without_a_worker_is_shown_as_waiting(browser: Client, owner: User) -> None:
    video = _create_video(owner, "New", Video.State.VALIDATING)
    Job.objects.create(video=video, owner=owner, stage="validate", position=0)

    assert "Waiting for a worker 0 %" in extract_text(read(browser, "/"))


def test_an_unfinished_upload_is_not_in_progress(browser: Client, owner: User) -> None:
    _create_video(owner, "Under way", Video.State.UPLOADING)

    page = read(browser, "/")

    assert "Upload not finished" in page
    assert "data-status-url" not in page


def test_a_failed_video_shows_the_reason_and_can_be_retried(browser: Client, owner: User) -> None:
    video = _create_video(owner, "Broken", Video.State.FAILED, error_code="no_video", error_text="This file holds no picture.")
    get_media_storage().save(video.original_key, b"abc", "video/mp4")
    page = read(browser, "/?page=1")
    assert "This file holds no picture." in page
    assert f'action="/videos/{video.pk}/retry/"' in page
    assert '<input type="hidden" name="next" value="/?page=1">' in page

    answer = browser.post(f"/videos/{video.pk}/retry/", {"next": "/?page=1"})

    assert answer["Location"] == "/?page=1"
    page = extract_text(read(browser, "/?page=1"))
    assert "Processing “Broken” again." in page
    assert "Waiting for a worker" in page
    assert "This file holds no picture." not in page


def test_a_retry_never_redirects_to_another_site(browser: Client, owner: User) -> None:
    video = _create_video(owner, "Broken", Video.State.FAILED)

    answer = browser.post(f"/videos/{video.pk}/retry/", {"next": "https://evil.example/"})

    assert answer["Location"] == f"/videos/{video.pk}/"


def test_a_video_that_cannot_be_retried_is_reported(browser: Client, owner: User) -> None:
    never_came = _create_video(owner, "Lost", Video.State.FAILED, error_code="upload_expired", error_text="Upload it again.")
    assert f"/videos/{never_came.pk}/retry/" not in read(browser, "/")

    browser.post(f"/videos/{never_came.pk}/retry/")

    assert "The file of this video never arrived. Upload it again." in read(browser, "/")


def test_a_file_that_is_no_video_is_not_retried(browser: Client, owner: User) -> None:
    photo = _create_video(owner, "Beach", Video.State.FAILED, error_code="still_picture", error_text="This is an image.")
    assert f"/videos/{photo.pk}/retry/" not in read(browser, "/")


def test_a_title_is_escaped(browser: Client, owner: User) -> None:
    make_video(owner, title="<script>alert(1)</script>")

    page = read(browser, "/")

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_the_number_of_queries_does_not_grow_with_the_videos(
    browser: Client, owner: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    # Session, user, count, videos with their metadata, jobs, first thumbnails.
    make_video(owner)
    with django_assert_num_queries(8):
        read(browser, "/")

    for number in range(2):
        make_video(owner)
        _create_video_in_progress(owner, f"In progress {number}")
    with django_assert_num_queries(8):
        read(browser, "/")


def test_the_library_shows_how_much_of_the_quota_is_used(browser: Client, owner: User, settings: Settings) -> None:
    settings.MAX_OWNER_BYTES, settings.MAX_OWNER_MINUTES = 2048, 90
    make_video(owner)

    assert "In use: 1 byte of 2.0 KB, 0 of 90 minutes of video." in extract_text(read(browser, "/"))


def test_the_uploader_names_the_languages_that_are_not_transcribed(browser: Client, settings: Settings) -> None:
    page = read(browser, "/")
    assert "This server transcribes English only." in page
    assert '<option value="en">English</option>' in page
    assert '<option value="ko">Korean (not transcribed on this server)</option>' in page
    settings.MODEL_BACKENDS = {**settings.MODEL_BACKENDS, "speech": {"BACKEND": FASTER_WHISPER, "OPTIONS": {"model": "base"}}}
    page = read(browser, "/")
    assert '<option value="ko">Korean</option>' in page
    assert "transcribes English only" not in page
    assert "not transcribed" not in page
