"""Access to the pages."""

import pytest
from django.test import Client

from heimdex.accounts.models import User
from tests.library import make_video
from tests.videos.pages.conftest import extract_text, read
from videos.models import Video

PAGES = ["/", "/search/", "/search/?q=boat", "/videos/{id}/", "/videos/{id}/delete/", "/videos/{id}/search-data/"]


@pytest.mark.parametrize("path", [*PAGES, "/videos/{id}/retry/"])
def test_anonymous_users_are_redirected_to_the_login_and_back(client: Client, owner: User, path: str) -> None:
    url = path.format(id=make_video(owner).pk)
    answers = [client.get(url), client.post(url)]

    assert {answer.status_code for answer in answers} == {302}
    assert all(answer["Location"].startswith("/accounts/login/?next=/") for answer in answers)
    assert Video.objects.count() == 1


def test_another_owners_video_is_not_found(browser: Client, stranger: User) -> None:
    foreign = make_video(stranger, title="Their secret film")
    Video.objects.filter(pk=foreign.pk).update(state=Video.State.FAILED)
    url = f"/videos/{foreign.pk}/"

    assert browser.get(url).status_code == 404
    assert browser.post(url, {"title": "Mine now"}).status_code == 404
    assert browser.get(f"{url}delete/").status_code == 404
    assert browser.post(f"{url}delete/").status_code == 404
    assert browser.post(f"{url}retry/").status_code == 404
    foreign.refresh_from_db()
    assert (foreign.title, foreign.state) == ("Their secret film", Video.State.FAILED)


def test_library_and_search_show_only_the_owners_videos(browser: Client, owner: User, stranger: User) -> None:
    make_video(owner, title="My film")
    make_video(stranger, title="Their film")

    for path in ("/", "/search/?q=boat"):
        page = read(browser, path)
        assert "My film" in page
        assert "Their film" not in page


def test_a_form_from_another_site_is_rejected(owner: User) -> None:
    video = make_video(owner)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner)

    for path in ("", "delete/", "retry/", "search-data/", f"scenes/{video.scenes.earliest('index').pk}/transcript/"):
        assert browser.post(f"/videos/{video.pk}/{path}", {"title": "Forged"}).status_code == 403
    video.refresh_from_db()
    assert video.title == "A film"


@pytest.mark.parametrize("path", PAGES)
def test_every_page_shows_the_user_and_links_onward(browser: Client, owner: User, path: str) -> None:
    page = read(browser, path.format(id=make_video(owner).pk))

    assert "Olga Owner" in page
    assert 'action="/accounts/logout/"' in page
    assert 'action="/search/"' in page
    assert page.count("<h1>") == 1
    assert "Admin" not in extract_text(page)
    # Nothing that a strict content security policy would block, and nothing from other servers.
    assert "style=" not in page
    assert "onclick=" not in page
    assert "http://" not in page
    assert "https://" not in page


def test_staff_see_the_link_to_the_admin_pages(client: Client, owner: User) -> None:
    owner.is_staff = True
    owner.save()
    client.force_login(owner)

    assert '<a href="/admin/">Admin</a>' in read(client, "/")


def test_a_logged_in_browser_can_upload_through_the_api(owner: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner)
    page = read(browser, "/")
    assert 'data-init-url="/v1/videos/upload/init"' in page
    assert 'data-complete-url="/v1/videos/upload/complete"' in page
    assert 'data-items-url="/v1/videos"' in page
    token = {"X-CSRFToken": browser.cookies["csrftoken"].value}
    file = {"filename": "film.mp4", "mime_type": "video/mp4", "size_bytes": 3}

    announced = browser.post("/v1/videos/upload/init", file, content_type="application/json", headers=token).json()
    sent = browser.put(announced["upload"]["url"], b"abc", content_type="video/mp4")
    completed = browser.post(
        "/v1/videos/upload/complete", {"video_id": announced["video_id"]}, content_type="application/json", headers=token
    )

    assert (sent.status_code, completed.status_code) == (200, 202)
    assert "Waiting for a worker" in extract_text(read(browser, "/"))
