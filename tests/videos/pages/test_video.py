"""The page of one video."""

import re

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from heimdex.accounts.models import User
from heimdex.storage import get_media_storage
from tests.library import make_image, make_video
from tests.videos.pages.conftest import extract_text, read
from videos.models import Scene, Video, VideoMetadata
from videos.pages.video import SCENES_PER_PAGE


@pytest.fixture
def video(owner: User) -> Video:
    made = make_video(owner, title="At sea")
    VideoMetadata.objects.create(
        video=made, owner=owner, container="mp4", duration_s=20, width=1280, height=720, fps=25, video_codec="h264", language="en"
    )
    Video.objects.filter(pk=made.pk).update(tags=["sailing boat", "harbour"], description="Filmed in May.", size_bytes=4)
    get_media_storage().save(made.original_key, b"film", "video/mp4")
    return made


def _find_player_url(page: str) -> str:
    return str(re.findall(r'<video [^>]*src="([^"]+)"', page)[0])


def test_the_page_shows_the_player_and_all_properties(browser: Client, video: Video) -> None:
    first = video.scenes.get(index=0)
    get_media_storage().save(first.thumbnail_key, make_image(0), "image/jpeg")

    page = read(browser, f"/videos/{video.pk}/")
    text = extract_text(page)

    for expected in ("At sea", "Filmed in May.", "0:20", "1280 × 720, 25 frames per second", "h264 (video), none (audio)", "English"):
        assert expected in text
    for expected in ("sailing boat", "The quick boat sailed over the cold northern sea", "0:05 – 0:10", "No speech", "object 3"):
        assert expected in text
    assert b"".join(browser.get(_find_player_url(page))) == b"film"
    assert b"".join(browser.get(re.findall(r'<img src="([^"]+)"', page)[0])) == make_image(0)


@pytest.mark.parametrize(("code", "name"), [("zh", "Chinese"), ("yue", "Cantonese"), ("", "No speech recognized"), ("tlh", "Tlh")])
def test_the_language_is_shown_by_name(browser: Client, video: Video, code: str, name: str) -> None:
    VideoMetadata.objects.update(language=code)
    assert f"Language {name}" in extract_text(read(browser, f"/videos/{video.pk}/"))


def test_links_to_further_scenes_lead_to_the_list(browser: Client, owner: User) -> None:
    video = make_video(owner, sayings=[])
    Scene.objects.bulk_create(
        Scene(video=video, owner=owner, index=index, start_s=index, end_s=index + 1) for index in range(SCENES_PER_PAGE + 1)
    )
    assert 'rel="next" href="?scenes=2#scenes"' in read(browser, f"/videos/{video.pk}/")


def test_scenes_link_to_their_time_and_the_player_starts_there(browser: Client, video: Video) -> None:
    page = read(browser, f"/videos/{video.pk}/")
    assert "#" not in _find_player_url(page)
    assert '<a href="?t=10.00#player">' in page

    page = read(browser, f"/videos/{video.pk}/?t=12.5")
    assert _find_player_url(page).endswith("#t=12.50")


@pytest.mark.parametrize("time", ["-1", "nan", "inf", "soon", "", "1e99", "\x00"])
def test_an_invalid_time_is_ignored(browser: Client, video: Video, time: str) -> None:
    answer = browser.get(f"/videos/{video.pk}/", {"t": time})

    assert answer.status_code == 200
    assert "#" not in _find_player_url(answer.content.decode())


def test_a_long_video_opens_at_the_page_with_the_scene(browser: Client, owner: User) -> None:
    video = make_video(owner, sayings=[])
    Scene.objects.bulk_create(
        Scene(video=video, owner=owner, index=index, start_s=index, end_s=index + 1, transcript=f"Saying {index}.")
        for index in range(SCENES_PER_PAGE + 20)
    )
    url = f"/videos/{video.pk}/"

    assert "Page 1 of 2" in read(browser, url)
    assert f"Saying {SCENES_PER_PAGE + 5}." in read(browser, f"{url}?t={SCENES_PER_PAGE + 5.5}")
    assert f"Saying {SCENES_PER_PAGE - 1}." in read(browser, f"{url}?t={SCENES_PER_PAGE - 0.5}")
    assert "Saying 0." in read(browser, f"{url}?t=0")
    assert "Saying 0." in read(browser, f"{url}?scenes=1&t=110")


def test_title_and_description_can_be_edited(browser: Client, video: Video) -> None:
    url = f"/videos/{video.pk}/"

    answer = browser.post(url, {"title": "  On the lake ", "description": "Filmed in June."})

    assert answer["Location"] == url
    page = extract_text(read(browser, url))
    assert "Saved." in page
    assert "On the lake" in page
    assert "Filmed in June." in page
    assert "On the lake" in read(browser, "/search/?q=lake")


@pytest.mark.parametrize(
    ("title", "problem"), [("", "This field is required."), ("x" * 301, "at most 300 characters"), ("a\x00b", "Null characters")]
)
def test_an_invalid_title_is_rejected_and_stays_in_the_form(browser: Client, video: Video, title: str, problem: str) -> None:
    answer = browser.post(f"/videos/{video.pk}/", {"title": title, "description": "Typed for an hour."})
    page = answer.content.decode()

    assert problem in page
    assert "<details open>" in page
    assert "Typed for an hour." in page
    video.refresh_from_db()
    assert (video.title, video.description) == ("At sea", "Filmed in May.")


def test_a_failed_video_shows_the_reason_and_can_be_retried(browser: Client, video: Video) -> None:
    Video.objects.filter(pk=video.pk).update(state=Video.State.FAILED, error_text="The sound could not be decoded.")
    url = f"/videos/{video.pk}/"
    page = read(browser, url)
    assert "The sound could not be decoded." in page
    assert "<video" not in page

    answer = browser.post(f"{url}retry/")

    assert answer["Location"] == url
    video.refresh_from_db()
    assert video.state == Video.State.VALIDATING
    assert video.jobs.count() > 0
    assert f'data-status-url="/v1{url}status"' in read(browser, url)


def test_only_a_failed_video_is_retried(browser: Client, video: Video) -> None:
    answer = browser.post(f"/videos/{video.pk}/retry/", follow=True)

    assert "Only a failed video can be retried. This one is indexed." in answer.content.decode()
    assert video.jobs.count() == 0


@pytest.mark.django_db(transaction=True)
def test_a_video_is_deleted_only_after_confirmation(browser: Client, video: Video) -> None:
    url = f"/videos/{video.pk}/delete/"

    question = extract_text(read(browser, url))
    assert "Delete “At sea”?" in question
    assert "4 scenes" in question
    assert Video.objects.filter(pk=video.pk).exists()

    answer = browser.post(url)
    assert answer["Location"] == "/"
    page = extract_text(read(browser, "/"))
    assert "Deleted “At sea”." in page
    assert "No videos yet" in page
    assert get_media_storage().size(video.original_key) is None


def test_all_texts_are_escaped(browser: Client, owner: User) -> None:
    evil = "<script>alert(1)</script>"
    video = make_video(owner, sayings=[evil], title=evil)
    Video.objects.filter(pk=video.pk).update(description=evil, summary=evil, tags=[evil], filename=evil)
    video.scenes.update(description=evil, tags=[{"name": evil, "confidence": 1}])

    for path in ("", "delete/"):
        page = read(browser, f"/videos/{video.pk}/{path}")
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)" in page


def test_the_number_of_queries_does_not_grow_with_the_scenes(
    browser: Client, owner: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    # Session, user, video with its metadata, jobs, count of the scenes, all their times, the people in them, scenes.
    for sayings in (["One."], ["One.", "Two.", "Three.", "Four.", "Five."]):
        video = make_video(owner, sayings=sayings)
        with django_assert_num_queries(8):
            read(browser, f"/videos/{video.pk}/")
