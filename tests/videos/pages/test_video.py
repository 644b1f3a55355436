"""The page of one video."""

import re

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from heimdex.accounts.models import User
from heimdex.storage import get_media_storage
from tests.library import make_image, make_video
from tests.videos.pages.conftest import read, seen
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


def _player(page: str) -> str:
    return str(re.findall(r'<video [^>]*src="([^"]+)"', page)[0])


def test_it_shows_the_player_and_all_that_is_known(browser: Client, video: Video) -> None:
    first = video.scenes.get(index=0)
    get_media_storage().save(first.thumbnail_key, make_image(0), "image/jpeg")

    page = read(browser, f"/videos/{video.pk}/")
    text = seen(page)

    for expected in ("At sea", "Filmed in May.", "0:20", "1280 × 720, 25 frames per second", "h264 (video), none (audio)", "English"):
        assert expected in text
    for expected in ("sailing boat", "The quick boat sailed over the cold northern sea", "0:05 – 0:10", "No speech", "object 3"):
        assert expected in text
    assert b"".join(browser.get(_player(page))) == b"film"
    assert b"".join(browser.get(re.findall(r'<img src="([^"]+)"', page)[0])) == make_image(0)


@pytest.mark.parametrize(("code", "name"), [("zh", "Chinese"), ("yue", "Cantonese"), ("", "No speech recognized"), ("tlh", "Tlh")])
def test_the_language_is_named_as_everywhere_else(browser: Client, video: Video, code: str, name: str) -> None:
    VideoMetadata.objects.update(language=code)
    assert f"Language {name}" in seen(read(browser, f"/videos/{video.pk}/"))


def test_pages_of_scenes_are_reached_without_leaving_the_list(browser: Client, owner: User) -> None:
    video = make_video(owner, sayings=[])
    Scene.objects.bulk_create(
        Scene(video=video, owner=owner, index=index, start_s=index, end_s=index + 1) for index in range(SCENES_PER_PAGE + 1)
    )
    assert 'rel="next" href="?scenes=2#scenes"' in read(browser, f"/videos/{video.pk}/")


def test_scenes_are_links_to_their_time_and_such_a_link_starts_the_player_there(browser: Client, video: Video) -> None:
    page = read(browser, f"/videos/{video.pk}/")
    assert "#" not in _player(page)
    assert '<a href="?t=10.00#player">' in page

    page = read(browser, f"/videos/{video.pk}/?t=12.5")
    assert _player(page).endswith("#t=12.50")


@pytest.mark.parametrize("time", ["-1", "nan", "inf", "soon", "", "1e99", "\x00"])
def test_a_time_that_is_none_is_ignored(browser: Client, video: Video, time: str) -> None:
    answer = browser.get(f"/videos/{video.pk}/", {"t": time})

    assert answer.status_code == 200
    assert "#" not in _player(answer.content.decode())


def test_a_long_video_opens_at_the_page_of_scenes_that_holds_the_time(browser: Client, owner: User) -> None:
    video = make_video(owner, sayings=[])
    Scene.objects.bulk_create(
        Scene(video=video, owner=owner, index=index, start_s=index, end_s=index + 1, transcript=f"Saying {index}.")
        for index in range(SCENES_PER_PAGE + 20)
    )
    address = f"/videos/{video.pk}/"

    assert "Page 1 of 2" in read(browser, address)
    assert f"Saying {SCENES_PER_PAGE + 5}." in read(browser, f"{address}?t={SCENES_PER_PAGE + 5.5}")
    assert f"Saying {SCENES_PER_PAGE - 1}." in read(browser, f"{address}?t={SCENES_PER_PAGE - 0.5}")
    assert "Saying 0." in read(browser, f"{address}?t=0")
    assert "Saying 0." in read(browser, f"{address}?scenes=1&t=110")


def test_title_and_description_are_edited(browser: Client, video: Video) -> None:
    address = f"/videos/{video.pk}/"

    answer = browser.post(address, {"title": "  On the lake ", "description": "Filmed in June."})

    assert answer["Location"] == address
    page = seen(read(browser, address))
    assert "Saved." in page
    assert "On the lake" in page
    assert "Filmed in June." in page
    assert "On the lake" in read(browser, "/search/?q=lake")


@pytest.mark.parametrize(
    ("title", "problem"), [("", "This field is required."), ("x" * 301, "at most 300 characters"), ("a\x00b", "Null characters")]
)
def test_a_title_that_cannot_be_is_refused_and_what_was_typed_stays(browser: Client, video: Video, title: str, problem: str) -> None:
    answer = browser.post(f"/videos/{video.pk}/", {"title": title, "description": "Typed for an hour."})
    page = answer.content.decode()

    assert problem in page
    assert "<details open>" in page
    assert "Typed for an hour." in page
    video.refresh_from_db()
    assert (video.title, video.description) == ("At sea", "Filmed in May.")


def test_a_failed_video_says_why_and_is_retried(browser: Client, video: Video) -> None:
    Video.objects.filter(pk=video.pk).update(state=Video.State.FAILED, error_text="The sound could not be decoded.")
    address = f"/videos/{video.pk}/"
    page = read(browser, address)
    assert "The sound could not be decoded." in page
    assert "<video" not in page

    answer = browser.post(f"{address}retry/")

    assert answer["Location"] == address
    video.refresh_from_db()
    assert video.state == Video.State.VALIDATING
    assert video.jobs.count() > 0
    assert f'data-status-url="/v1{address}status"' in read(browser, address)


def test_only_a_failed_video_is_retried(browser: Client, video: Video) -> None:
    answer = browser.post(f"/videos/{video.pk}/retry/", follow=True)

    assert "Only a failed video can be retried. This one is indexed." in answer.content.decode()
    assert video.jobs.count() == 0


@pytest.mark.django_db(transaction=True)
def test_a_video_is_deleted_only_after_a_question(browser: Client, video: Video) -> None:
    address = f"/videos/{video.pk}/delete/"

    question = seen(read(browser, address))
    assert "Delete “At sea”?" in question
    assert "4 scenes" in question
    assert Video.objects.filter(pk=video.pk).exists()

    answer = browser.post(address)
    assert answer["Location"] == "/"
    page = seen(read(browser, "/"))
    assert "Deleted “At sea”." in page
    assert "No videos yet" in page
    assert get_media_storage().size(video.original_key) is None


def test_all_that_was_said_and_seen_is_text_and_never_markup(browser: Client, owner: User) -> None:
    evil = "<script>alert(1)</script>"
    video = make_video(owner, sayings=[evil], title=evil)
    Video.objects.filter(pk=video.pk).update(description=evil, summary=evil, tags=[evil], filename=evil)
    video.scenes.update(description=evil, tags=[{"name": evil, "confidence": 1}])

    for path in ("", "delete/"):
        page = read(browser, f"/videos/{video.pk}/{path}")
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)" in page


def test_five_scenes_cost_as_many_queries_as_one(browser: Client, owner: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    # Session, user, video with its metadata, jobs, count of the scenes, all their times, who is in them, scenes.
    for sayings in (["One."], ["One.", "Two.", "Three.", "Four.", "Five."]):
        video = make_video(owner, sayings=sayings)
        with django_assert_num_queries(8):
            read(browser, f"/videos/{video.pk}/")
