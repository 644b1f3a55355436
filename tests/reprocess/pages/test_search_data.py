"""The search data of a video, on the page of their own that the video's page shows a part of."""

import pytest
from django.test import Client

from heimdex.accounts.models import User
from heimdex.storage import media_storage
from reprocess.models import ReprocessRun
from reprocess.tasks import work_run
from tests.library import make_video
from tests.videos.pages.conftest import read, seen
from videos.models import Video

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def video(owner: User) -> Video:
    return make_video(owner, ["A boat at sea.", ""], title="At sea")


def test_the_button_renews_and_the_page_follows_to_the_end(browser: Client, video: Video) -> None:
    address = f"/videos/{video.pk}/search-data/"
    assert f'data-part="{address}"' in read(browser, f"/videos/{video.pk}/")
    page = read(browser, address)
    assert "8 of 8 parts of this video's search data are out of date." in seen(page)
    assert "data-moving" not in page

    answer = browser.post(address)
    assert answer["Location"] == address
    page = read(browser, address)
    assert "The search data will be renewed." in seen(page)
    assert "Waiting 0 %" in seen(page)
    assert "data-moving" in page
    assert "Cancel the renewal" in page
    assert "Renew search data" not in page

    work_run(str(ReprocessRun.objects.get().pk))
    page = read(browser, address)
    for expected in ("Up to date", "What is said 2 of 2 scenes", "Pictures 2 of 2 scenes", "Renew search data"):
        assert expected in seen(page)
    assert "data-moving" not in page


def test_it_can_be_cancelled_and_a_failure_says_why(browser: Client, video: Video) -> None:
    address = f"/videos/{video.pk}/search-data/"
    browser.post(address, {"force": "on"})
    assert ReprocessRun.objects.get().force
    assert "The renewal is cancelled; what is done stays." in seen(browser.post(address, {"cancel": "1"}, follow=True).content.decode())
    assert "there is nothing to cancel" in seen(browser.post(address, {"cancel": "1"}, follow=True).content.decode())

    media_storage().delete(video.scenes.get(index=1).keyframe_key)
    browser.post(address)
    work_run(str(ReprocessRun.objects.get(force=False).pk))
    page = seen(read(browser, address))
    assert "1 of 8 parts could not be renewed." in page
    assert "Scene 2, pictures: The keyframe cannot be read" in page


def test_a_video_that_is_not_ready_has_no_button(browser: Client, video: Video) -> None:
    Video.objects.update(state=Video.State.PROCESSING)
    page = read(browser, f"/videos/{video.pk}/search-data/")
    assert "It is made while the video is processed." in page
    assert "Renew search data" not in page
    assert "data-part" not in read(browser, f"/videos/{video.pk}/")
    refused = browser.post(f"/videos/{video.pk}/search-data/", follow=True).content.decode()
    assert "there is nothing to renew yet" in refused
