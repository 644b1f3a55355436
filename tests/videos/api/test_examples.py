"""Search by example: scenes like a scene, like an uploaded image, or like a frame."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from heimdex.storage import get_media_storage
from reprocess.planning.scope import Scope
from reprocess.runs.requests import start_run
from reprocess.runs.worker import run_worker
from tests.library import make_image, make_user, make_video
from videos.actions.examples import MAX_IMAGE_BYTES
from videos.models import RecordedQuery, Scene, Video

pytestmark = pytest.mark.django_db


@pytest.fixture
def video(owner: User) -> Video:
    """Return an embedded video; another owner has the same."""
    sayings = ["A boat at sea.", "The boat sails on the sea.", "Basil and tomatoes.", "A committee about the budget."]
    video = make_video(owner, sayings)
    make_video(make_user("other@example.org"), sayings)
    run_worker(start_run(Scope("all"), force=False, entry_point="command", requested_by=None).pk)
    return video


def list_indexes(answer: object) -> list[int]:
    indexes = dict(Scene.objects.values_list("pk", "index"))
    by_id = {str(key): index for key, index in indexes.items()}
    return [by_id[hit["scene_id"]] for hit in answer.json()["results"]]  # type: ignore[attr-defined]


def upload(content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("photo.jpg", content, "image/jpeg")


def test_scenes_like_a_scene_are_listed_without_it(api: APIClient, video: Video) -> None:
    path = f"/v1/scenes/{video.scenes.get(index=0).pk}/similar"
    answer = api.get(path, {"mode": "said"})
    assert list_indexes(answer)[0] == 1
    assert 0 not in list_indexes(answer)
    assert {match["channel"] for hit in answer.json()["results"] for match in hit["matches"]} == {"transcript"}
    everything = api.get(path)
    assert {match["channel"] for hit in everything.json()["results"] for match in hit["matches"]} > {"transcript"}
    assert {hit["passage"] for hit in everything.json()["results"]} == {None}
    first = api.get(path, {"limit": 2}).json()
    second = api.get(path, {"limit": 2, "cursor": first["next_cursor"]})
    pages = [hit["scene_id"] for hit in first["results"] + second.json()["results"]]
    assert pages == [hit["scene_id"] for hit in everything.json()["results"]]
    assert list_indexes(api.get(path, {"q": "-sails"})) == [index for index in list_indexes(everything) if index != 1]
    assert api.get(path, {"tag": "nothing"}).json()["total"] == 0


def test_an_uploaded_image_finds_the_scene_that_shows_it(api: APIClient, video: Video) -> None:
    answer = api.post("/v1/search/image", {"image": upload(make_image(2))}, format="multipart")
    assert answer.status_code == 200, answer.json()
    assert list_indexes(answer)[0] == 2
    best = answer.json()["results"][0]["matches"][0]
    assert (best["channel"], best["rank"]) == ("example", 1)
    assert best["score"] > 0.9
    assert not RecordedQuery.objects.exists()


def test_words_and_filters_narrow_an_image(api: APIClient, video: Video) -> None:
    def find(q: str) -> list[int]:
        return list_indexes(api.post("/v1/search/image", {"image": upload(make_image(2)), "q": q}, format="multipart"))

    assert sorted(find("said:boat")) == [0, 1]
    assert 2 not in find("-basil")
    refused = api.post("/v1/search/image", {"image": upload(make_image(2)), "q": "a then:3 b"}, format="multipart")
    assert "cannot be combined with an image" in refused.json()["q"][0]


def test_a_frame_of_a_scene_is_an_example(api: APIClient, video: Video) -> None:
    scene = video.scenes.get(index=3)
    assert list_indexes(api.post("/v1/search/image", {"scene_id": str(scene.pk)}, format="json"))[0] == 3
    absent = api.post("/v1/search/image", {"scene_id": str(scene.pk), "frame": 2}, format="json")
    assert absent.json() == {"frame": ["This scene has no frame 2. Choose one up to 1."]}
    get_media_storage().delete(scene.keyframe_key)
    assert "file is gone" in api.post("/v1/search/image", {"scene_id": str(scene.pk)}, format="json").json()["frame"][0]


def test_scenes_of_another_owner_are_no_examples(api: APIClient, video: Video) -> None:
    theirs = Scene.objects.exclude(owner=video.owner)[0]
    assert api.get(f"/v1/scenes/{theirs.pk}/similar").status_code == 404
    assert api.post("/v1/search/image", {"scene_id": str(theirs.pk)}, format="json").status_code == 404


def _encode(size: tuple[int, int]) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"no image", "not a readable image"),
        (make_image(1)[:200], "damaged or incomplete"),
        (_encode((30_001, 1)), "Scale it down"),
        (b"x" * (MAX_IMAGE_BYTES + 1), "more than 3 MB"),
    ],
)
def test_an_unusable_image_is_explained(api: APIClient, video: Video, content: bytes, problem: str) -> None:
    answer = api.post("/v1/search/image", {"image": upload(content)}, format="multipart")
    assert answer.status_code == 400
    assert problem in answer.json()["image"][0]


def test_one_example_is_needed_and_a_library_with_images(api: APIClient, owner: User) -> None:
    for body in ({}, {"image": upload(make_image(1)), "scene_id": "6b0e8b0a-6a0e-4f6e-9d5c-0a8f0b0c0d0e"}):
        answer = api.post("/v1/search/image", body, format="multipart")
        assert (answer.status_code, answer.json()) == (400, {"image": ["Send either an image or a scene_id."]})
    make_video(owner)
    answer = api.post("/v1/search/image", {"image": upload(make_image(1))}, format="multipart")
    assert answer.status_code == 503
    assert "no image vectors yet" in answer.json()["detail"]
