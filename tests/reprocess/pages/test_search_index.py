"""The page of a video's search index, which the video page embeds."""

import pytest
from django.test import Client

from heimdex.accounts.models import User
from heimdex.storage import get_media_storage
from reprocess.models import ReprocessRun
from reprocess.tasks import work_run
from tests.library import make_video
from tests.videos.pages.conftest import extract_text, read
from videos.models import Video

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def video(owner: User) -> Video:
    return make_video(owner, ["A boat at sea.", ""], title="At sea")


def test_the_button_starts_an_update_and_the_page_shows_its_progress(browser: Client, video: Video) -> None:
    url = f"/videos/{video.pk}/search-data/"
    assert f'data-partial="{url}"' in read(browser, f"/videos/{video.pk}/")
    page = read(browser, url)
    assert "8 of 8 parts of this video's search index are out of date." in extract_text(page)
    assert "data-in-progress" not in page

    answer = browser.post(url)
    assert answer["Location"] == url
    page = read(browser, url)
    assert "Update started." in extract_text(page)
    assert "Waiting 0 %" in extract_text(page)
    assert "data-in-progress" in page
    assert "Cancel update" in page
    assert "Update search index" not in page

    work_run(str(ReprocessRun.objects.get().pk))
    page = read(browser, url)
    for expected in ("Up to date", "Speech 2 of 2 scenes", "Image 2 of 2 scenes", "Update search index"):
        assert expected in extract_text(page)
    assert "data-in-progress" not in page


def test_an_update_can_be_canceled_and_failures_show_their_reason(browser: Client, video: Video) -> None:
    url = f"/videos/{video.pk}/search-data/"
    browser.post(url, {"force": "on"})
    assert ReprocessRun.objects.get().force
    assert "Update canceled. Finished parts are kept." in extract_text(browser.post(url, {"cancel": "1"}, follow=True).content.decode())
    assert "You have no unfinished update" in extract_text(browser.post(url, {"cancel": "1"}, follow=True).content.decode())

    get_media_storage().delete(video.scenes.get(index=1).keyframe_key)
    browser.post(url)
    work_run(str(ReprocessRun.objects.get(force=False).pk))
    page = extract_text(read(browser, url))
    assert "1 of 8 parts could not be updated." in page
    assert "Scene 2, image: The keyframe cannot be read" in page


def test_a_video_that_is_not_ready_has_no_button(browser: Client, video: Video) -> None:
    Video.objects.update(state=Video.State.PROCESSING)
    page = read(browser, f"/videos/{video.pk}/search-data/")
    assert "Created while the video is processed." in page
    assert "Update search index" not in page
    assert "data-partial" not in read(browser, f"/videos/{video.pk}/")
    refused = browser.post(f"/videos/{video.pk}/search-data/", follow=True).content.decode()
    assert "when processing is done" in refused
