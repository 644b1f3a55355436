"""Pages of an answer: new videos neither repeat nor hide a scene, and a cursor belongs to one search."""

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from tests.library import make_user, make_video
from videos.models import Job, Video

pytestmark = pytest.mark.django_db


def read_pages(api: APIClient, between: object = None, **parameters: object) -> list[str]:
    """Return the scenes of all pages of two, and call a function after the first page."""
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = api.post("/v1/search", {"limit": 2, "cursor": cursor, "join": False, **parameters}, format="json").json()
        assert page["offset"] == len(seen)
        seen += [hit["scene_id"] for hit in page["results"]]
        if between and not cursor:
            between()  # type: ignore[operator]
        cursor = page["next_cursor"]
    return seen


@pytest.mark.parametrize(
    "search",
    [{"q": "boat"}, {"q": "title:film"}, {"q": "boat", "sort": "oldest"}, {"q": "title:film", "sort": "title"}, {"q": "said:boat"}],
)
def test_a_video_that_arrives_between_pages_changes_nothing(api: APIClient, owner: User, search: dict[str, str]) -> None:
    for number in range(3):
        make_video(owner, [f"A boat, {number} and {take}." for take in range(3)], title=f"Film {number}")
    expected = [hit["scene_id"] for hit in api.get("/v1/search", {**search, "limit": 100, "join": False}).json()["results"]]
    assert len(expected) == 9

    assert read_pages(api, lambda: make_video(owner, ["boat boat boat"] * 3, title="A film"), **search) == expected


def test_a_video_whose_ingest_ends_between_pages_changes_nothing(api: APIClient, owner: User) -> None:
    make_video(owner, ["A boat."] * 5)
    later = make_video(owner, ["boat boat"])
    Video.objects.filter(pk=later.pk).update(state=Video.State.PROCESSING)

    def finish() -> None:
        Job.objects.create(owner=owner, video=later, stage="index", position=9, finished_at=timezone.now())
        Video.objects.filter(pk=later.pk).update(state=Video.State.INDEXED)

    assert len(read_pages(api, finish, q="boat")) == 5
    assert len(read_pages(api, q="boat")) == 6


@pytest.mark.parametrize("search", [{"q": "boat"}, {"q": "title:film"}, {"q": "boat", "sort": "newest"}])
def test_a_deleted_video_before_the_page_hides_no_other(api: APIClient, owner: User, search: dict[str, str]) -> None:
    for _ in range(7):
        make_video(owner, ["A boat."])
    first = api.get("/v1/search", {**search, "limit": 3}).json()
    Video.objects.get(pk=first["results"][0]["video_id"]).delete()
    second = api.get("/v1/search", {**search, "limit": 100, "cursor": first["next_cursor"]}).json()
    shown = [hit["scene_id"] for hit in first["results"] + second["results"]]
    assert len(shown) == len(set(shown)) == 7


@pytest.mark.parametrize("search", [{"q": "boat"}, {"q": "title:film"}])
def test_the_page_before_is_found(api: APIClient, owner: User, search: dict[str, str]) -> None:
    make_video(owner, [f"A boat {take}." for take in range(7)])
    pages = [api.get("/v1/search", {**search, "limit": 3, "join": False}).json()]
    assert pages[0]["previous_cursor"] is None
    for _ in range(2):
        pages.append(api.get("/v1/search", {**search, "limit": 3, "join": False, "cursor": pages[-1]["next_cursor"]}).json())
    assert pages[2]["next_cursor"] is None
    back = api.get("/v1/search", {**search, "limit": 3, "join": False, "cursor": pages[2]["previous_cursor"]}).json()
    # The URLs of images are signed again.
    assert [hit["scene_id"] for hit in back["results"]] == [hit["scene_id"] for hit in pages[1]["results"]]
    assert (back["offset"], back["total"]) == (3, 7)


def test_a_cursor_of_another_search_or_owner_is_refused(api: APIClient, owner: User) -> None:
    other = make_user("other@example.org")
    for user in (owner, other):
        for _ in range(3):
            make_video(user, ["A boat."])
    cursor = api.get("/v1/search", {"q": "boat", "limit": 1}).json()["next_cursor"]
    changed = cursor[:-1] + ("A" if cursor[-1] != "A" else "B")
    refused = {"cursor": ["This is not the cursor of an answer to this search. Start again without a cursor."]}
    for parameters in ({"q": "car"}, {"q": "boat", "lang": "de"}, {"q": "boat", "cursor": changed}, {"q": "boat", "cursor": "MjA="}):
        answer = api.get("/v1/search", {"cursor": cursor, **parameters})
        assert (answer.status_code, answer.json()) == (400, refused)
    api.force_authenticate(other)
    assert api.get("/v1/search", {"q": "boat", "cursor": cursor}).json() == refused
    # The size of a page may change.
    api.force_authenticate(owner)
    assert len(api.get("/v1/search", {"q": "boat", "limit": 50, "cursor": cursor}).json()["results"]) == 2


def test_the_limit_of_scenes_for_each_video_does_not_apply_inside_a_video_or_to_a_list(api: APIClient, owner: User) -> None:
    video = make_video(owner, [f"A boat {take}." for take in range(12)])
    assert api.get("/v1/search", {"q": "boat", "join": False}).json()["total"] == 10
    assert api.get("/v1/search", {"q": "boat", "video_id": video.pk, "join": False}).json()["total"] == 12
    assert api.get("/v1/search", {"q": "boat", "video_id": video.pk, "per_video": 3, "join": False}).json()["total"] == 12
    assert api.get("/v1/search", {"q": "title:film"}).json()["total"] == 12


@pytest.mark.parametrize("q", ["boat", ""])
def test_an_order_other_than_relevance(api: APIClient, owner: User, q: str) -> None:
    start = timezone.now() - timedelta(days=9)
    for number, title in enumerate(("B", "C", "A")):
        video = make_video(owner, ["A boat.", "A boat boat boat."], title=title)
        Video.objects.filter(pk=video.pk).update(created_at=start + timedelta(days=number))

    def list_scenes(sort: str) -> str:
        results = api.get("/v1/search", {"q": q, "sort": sort, "after": "2000", "join": False}).json()["results"]
        return " ".join(f"{hit['title']}{hit['start_s']:.0f}" for hit in results)

    assert list_scenes("newest") == "A0 A5 C0 C5 B0 B5"
    assert list_scenes("oldest") == "B0 B5 C0 C5 A0 A5"
    assert list_scenes("title") == "A0 A5 B0 B5 C0 C5"
