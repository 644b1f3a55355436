"""The timeline below the player."""

import html
import re

import pytest
from django.test import Client

from heimdex.accounts.models import User
from heimdex.storage import get_media_storage
from tests.library import make_image, make_video
from tests.videos.pages.conftest import read
from videos.models import Video, VideoMetadata


@pytest.fixture
def video(owner: User) -> Video:
    made = make_video(owner)
    VideoMetadata.objects.create(
        video=made,
        owner=owner,
        container="mp4",
        duration_s=250.0,
        width=1280,
        height=720,
        fps=25,
        video_codec="h264",
        has_timeline=True,
    )
    get_media_storage().save(made.timeline_key, make_image(0), "image/jpeg")
    return made


def test_a_ready_video_has_a_timeline_with_its_layout(browser: Client, video: Video) -> None:
    (strip,) = re.findall(r"<div [^>]*data-timeline[^>]*>", read(browser, f"/videos/{video.pk}/"))
    attributes = dict(re.findall(r'data-(\w+)="([^"]*)"', strip))
    assert (attributes["duration"], attributes["step"], attributes["columns"], attributes["count"]) == ("250.000", "2.500000", "10", "100")
    assert b"".join(browser.get(html.unescape(attributes["src"]))) == make_image(0)


def test_a_video_without_a_sheet_has_no_timeline(browser: Client, video: Video) -> None:
    VideoMetadata.objects.update(has_timeline=False)
    assert "data-timeline" not in read(browser, f"/videos/{video.pk}/")


def test_a_video_that_is_not_ready_has_no_timeline(browser: Client, video: Video) -> None:
    Video.objects.filter(pk=video.pk).update(state=Video.State.FAILED)
    assert "data-timeline" not in read(browser, f"/videos/{video.pk}/")
