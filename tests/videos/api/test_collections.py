"""Owners sort videos by tags and collections."""

from unittest import mock

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from tests.library import make_user, make_video
from videos.actions import collections, tags
from videos.models import CollectedVideo, Collection, ManualTag, TaggedVideo, Video

pytestmark = pytest.mark.django_db


@pytest.fixture
def videos(owner: User) -> list[Video]:
    return [make_video(owner, [], title=title) for title in ("One", "Two")]


@pytest.fixture
def stranger() -> User:
    return make_user("stranger@example.org")


def list_names(api: APIClient, path: str) -> list[tuple[str, int]]:
    return [(row["name"], row["videos"]) for row in api.get(f"/v1/{path}").json()["results"]]


def test_a_video_gets_tags_that_are_created_when_needed(api: APIClient, videos: list[Video]) -> None:
    first, second = (f"/v1/videos/{video.pk}/tags" for video in videos)
    assert api.put(first, {"tags": ["  Summer   holidays", "dog", "DOG"]}, format="json").json() == {"tags": ["Summer holidays", "dog"]}
    assert api.put(second, {"tags": ["Dog", "sea"]}, format="json").json() == {"tags": ["dog", "sea"]}
    assert list_names(api, "tags") == [("Summer holidays", 1), ("dog", 2), ("sea", 1)]
    assert api.put(first, {"tags": ["dog"]}, format="json").json() == api.get(first).json() == {"tags": ["dog"]}
    assert list_names(api, "tags") == [("Summer holidays", 0), ("dog", 2), ("sea", 1)]


def test_a_tag_is_created_renamed_and_deleted(api: APIClient, owner: User, videos: list[Video]) -> None:
    created = api.post("/v1/tags", {"name": " Dog "})
    assert (created.status_code, created.json()["name"], created.json()["videos"]) == (201, "Dog", 0)
    path = f"/v1/tags/{created.json()['id']}"
    tags.set_video_tags(owner, videos[0].pk, ["dog"])
    assert api.post("/v1/tags", {"name": "DOG"}).json() == {"name": ["You already have a tag named DOG."]}
    assert api.patch(path, {"name": "dog"}).json()["name"] == "dog"
    assert api.patch(path, {"name": "Hound"}).json()["videos"] == 1
    assert api.get(f"/v1/videos/{videos[0].pk}/tags").json() == {"tags": ["Hound"]}
    api.post("/v1/tags", {"name": "Cat"})
    assert api.patch(path, {"name": "cat"}).status_code == 400
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404
    assert not TaggedVideo.objects.exists()
    assert Video.objects.count() == 2


def test_a_collection_is_created_filled_and_deleted(api: APIClient, videos: list[Video]) -> None:
    created = api.post("/v1/collections", {"name": "Favorites", "description": "Of 2026"})
    assert (created.status_code, created.json()["videos"]) == (201, 0)
    path = f"/v1/collections/{created.json()['id']}"
    ids = [str(video.pk) for video in reversed(videos)]
    for _ in range(2):
        assert api.post(f"{path}/videos", {"video_ids": ids}, format="json").json()["videos"] == 2
    assert [video["id"] for video in api.get(f"{path}/videos").json()["results"]] == ids
    assert api.get(f"{path}/videos?page_size=1").json()["count"] == 2
    assert api.post(f"{path}/videos/remove", {"video_ids": ids[:1]}, format="json").json()["videos"] == 1
    assert api.patch(path, {"name": "Best"}).json()["description"] == "Of 2026"
    assert api.post("/v1/collections", {"name": "best"}).json() == {"name": ["You already have a collection named best."]}
    assert list_names(api, "collections") == [("Best", 1)]
    assert api.delete(path).status_code == 204
    assert Video.objects.count() == 2


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("?!", "A name needs at least one letter or digit."),
        ('the "best"', 'A name cannot contain quotation marks such as ", because searches put names between these. Remove them.'),
        ("«Dogs»", 'A name cannot contain quotation marks such as ", because searches put names between these. Remove them.'),
    ],
)
def test_an_invalid_name_is_explained(api: APIClient, videos: list[Video], name: str, problem: str) -> None:
    for path in ("tags", "collections", "saved-searches"):
        assert api.post(f"/v1/{path}", {"name": name, "query": "a boat"}, format="json").json() == {"name": [problem]}
    assert api.put(f"/v1/videos/{videos[0].pk}/tags", {"tags": [name]}, format="json").status_code == 400


@pytest.mark.parametrize(("name", "other"), [("İstanbul", "istanbul"), ("STRAẞE", "straße")])
def test_names_that_only_the_database_holds_equal_are_one_name(api: APIClient, videos: list[Video], name: str, other: str) -> None:
    tagged = api.put(f"/v1/videos/{videos[0].pk}/tags", {"tags": [name, other]}, format="json")
    assert tagged.json() == {"tags": [name]}
    assert api.put(f"/v1/videos/{videos[1].pk}/tags", {"tags": [other]}, format="json").json() == {"tags": [name]}
    for path in ("tags", "collections", "saved-searches"):
        api.post(f"/v1/{path}", {"name": name, "query": "a boat"}, format="json")
        problem = api.post(f"/v1/{path}", {"name": other, "query": "a boat"}, format="json")
        assert (problem.status_code, list(problem.json())) == (400, ["name"])
        (row,) = api.get(f"/v1/{path}").json()["results"]
        assert api.patch(f"/v1/{path}/{row['id']}", {"name": other}, format="json").json()["name"] == other


def test_limits_name_the_fix(api: APIClient, owner: User, videos: list[Video]) -> None:
    assert (tags.MAX_TAGS, tags.MAX_TAGS_PER_VIDEO, collections.MAX_COLLECTIONS, collections.MAX_VIDEOS) == (1000, 50, 1000, 10_000)
    video = f"/v1/videos/{videos[0].pk}/tags"
    assert api.put(video, {"tags": [f"tag {number}" for number in range(50)]}, format="json").status_code == 200
    assert api.put(video, {"tags": [f"tag {number}" for number in range(51)]}, format="json").status_code == 400
    path = f"/v1/collections/{collections.create_collection(owner, 'Full').pk}/videos"
    with (
        mock.patch.object(tags, "MAX_TAGS", 50),
        mock.patch.object(collections, "MAX_COLLECTIONS", 1),
        mock.patch.object(collections, "MAX_VIDEOS", 1),
    ):
        assert "at most 1000 tags" in api.post("/v1/tags", {"name": "new"}).json()["detail"]
        assert api.put(video, {"tags": ["new"]}, format="json").status_code == 400
        assert api.put(video, {"tags": ["Tag 1"]}, format="json").status_code == 200
        assert "at most 1000 collections" in api.post("/v1/collections", {"name": "new"}).json()["detail"]
        full = api.post(path, {"video_ids": [video.pk for video in videos]}, format="json")
        assert "at most 10000 videos" in full.json()["video_ids"][0]
    assert not CollectedVideo.objects.exists()
    too_many = api.post(path, {"video_ids": [str(videos[0].pk)] * 201}, format="json")
    assert too_many.status_code == 400


def test_nobody_reaches_another_owners_tags_and_collections(api: APIClient, owner: User, stranger: User, videos: list[Video]) -> None:
    theirs = make_video(stranger, [])
    tags.set_video_tags(stranger, theirs.pk, ["secret"])
    collection, mine = collections.create_collection(stranger, "Secret"), collections.create_collection(owner, "Mine")
    tag = ManualTag.objects.get(owner=stranger)
    body = {"name": "taken", "video_ids": [str(videos[0].pk)], "tags": ["x"]}
    for path in (f"tags/{tag.pk}", f"collections/{collection.pk}"):
        assert [
            api.get(f"/v1/{path}").status_code,
            api.patch(f"/v1/{path}", body, format="json").status_code,
            api.delete(f"/v1/{path}").status_code,
        ] == [404] * 3
    for path in (f"collections/{collection.pk}/videos", f"collections/{collection.pk}/videos/remove"):
        assert api.post(f"/v1/{path}", body, format="json").status_code == 404
    assert api.put(f"/v1/videos/{theirs.pk}/tags", body, format="json").status_code == 404
    mixed = {"video_ids": [str(videos[0].pk), str(theirs.pk)]}
    assert api.post(f"/v1/collections/{mine.pk}/videos", mixed, format="json").status_code == 404
    assert list_names(api, "tags") == []
    assert list_names(api, "collections") == [("Mine", 0)]
    # The same name is free for another owner.
    assert api.post("/v1/tags", {"name": "secret"}).status_code == 201
    assert Collection.objects.get(pk=collection.pk).name == "Secret"


def test_lists_take_a_constant_number_of_queries(api: APIClient, owner: User, videos: list[Video]) -> None:
    def count_queries() -> list[int]:
        counts = []
        for path in ("tags", "collections", "saved-searches"):
            with CaptureQueriesContext(connection) as captured:
                assert api.get(f"/v1/{path}").status_code == 200
            counts.append(len(captured))
        return counts

    tags.set_video_tags(owner, videos[0].pk, ["first"])
    collections.create_collection(owner, "first")
    before = count_queries()
    tags.set_video_tags(owner, videos[1].pk, ["second", "third", "fourth"])
    for name in ("second", "third"):
        collections.add_videos(owner, collections.create_collection(owner, name).pk, [video.pk for video in videos])
    assert count_queries() == before
