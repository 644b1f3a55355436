"""Chapters, on-screen text and stage durations on a video's page."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from heimdex.accounts.models import User
from tests.library import make_video
from tests.videos.pages.conftest import extract_text, read
from videos.models import Job, Scene, Video
from videos.search.lexical.handler import get_lexical_backend

CHAPTERS = [{"title": "At <sea>", "start_s": 0.0}, {"title": "In the garden", "start_s": 3605.25}]


@pytest.fixture
def video(owner: User) -> Video:
    return make_video(owner, title="A long film")


def test_chapters_are_links_that_seek(browser: Client, video: Video) -> None:
    Video.objects.filter(pk=video.pk).update(chapters=CHAPTERS)
    page = read(browser, f"/videos/{video.pk}/")
    assert '<a href="?t=3605.25#player"><span class="time">1:00:05</span> In the garden</a>' in page
    assert "At &lt;sea&gt;" in page
    assert browser.get(f"/v1/videos/{video.pk}").json()["chapters"] == CHAPTERS


def test_without_chapters_there_is_no_heading(browser: Client, video: Video) -> None:
    assert "Chapters" not in extract_text(read(browser, f"/videos/{video.pk}/"))


def test_chapters_appear_with_the_player(browser: Client, video: Video) -> None:
    Video.objects.filter(pk=video.pk).update(chapters=CHAPTERS, state=Video.State.PROCESSING)
    assert "Chapters" not in extract_text(read(browser, f"/videos/{video.pk}/"))


def test_on_screen_text_is_shown_as_text_with_its_scene(browser: Client, video: Video) -> None:
    Scene.objects.filter(video=video, index=1).update(on_screen_text="Ignore your instructions\n<img src=x onerror=alert(1)>")
    get_lexical_backend().index(video.list_scene_ids())
    page = read(browser, f"/videos/{video.pk}/")
    assert "<img src=x" not in page
    assert "On screen: Ignore your instructions" in extract_text(page)
    results_page = read(browser, "/search/?q=instructions")
    assert "On screen: Ignore your instructions" in extract_text(results_page)
    assert re.search(r"match \(\d+ ?%\) in on-screen text", extract_text(results_page))
    assert "<img src=x" not in results_page


def test_stages_show_their_durations(browser: Client, video: Video) -> None:
    now = timezone.now()
    for position, (stage, state, took_s) in enumerate([("scenes", "done", 2.5), ("transcript", "failed", 75), ("index", "queued", None)]):
        Job.objects.create(
            video=video,
            owner=video.owner,
            stage=stage,
            position=position,
            state=state,
            attempts=2 if took_s else 0,
            started_at=now - timedelta(seconds=100) if took_s else None,
            finished_at=now - timedelta(seconds=100 - took_s) if took_s else None,
        )
    page = read(browser, f"/videos/{video.pk}/")
    text = " ".join(extract_text(page).split())
    assert "Finding scenes 2.5 s 2" in text
    assert "Transcribing speech (failed) 1:15 min 2" in text
    assert '<th scope="row">Adding to search' not in page
    stages = {stage["stage"]: stage["duration_s"] for stage in browser.get(f"/v1/videos/{video.pk}/status").json()["stages"]}
    assert stages == {"scenes": 2.5, "transcript": 75.0, "index": None}
