"""Correct a scene's transcript over HTTP."""

import pytest
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from tests.library import make_video
from videos.actions.transcripts import TRANSCRIPT_MAX_LENGTH
from videos.models import Scene, Video


@pytest.fixture
def scene(owner: User) -> Scene:
    return make_video(owner, ["The quick boat sailed over the northern sea.", "And came home."]).scenes.get(index=0)


@pytest.fixture
def address(scene: Scene) -> str:
    return f"/v1/videos/{scene.video_id}/scenes/{scene.pk}/transcript"


def test_the_text_is_set_found_and_shown_with_its_version(api: APIClient, scene: Scene, address: str) -> None:
    answer = api.patch(address, {"text": "  The quick goat\n sailed over the northern sea.  "})
    assert answer.status_code == 200
    shown = answer.json()
    assert shown["transcript"] == "The quick goat sailed over the northern sea."
    assert shown["transcript_edited_at"]
    assert answer.headers["ETag"] == f'"{shown["transcript_version"]}"'
    in_detail = api.get(f"/v1/videos/{scene.video_id}").json()["scenes"][0]
    assert {name: in_detail[name] for name in ("transcript", "transcript_version")} == {
        name: shown[name] for name in ("transcript", "transcript_version")
    }
    assert [hit["scene_id"] for hit in api.get("/v1/search?q=goat").json()["results"]] == [str(scene.pk)]
    scene.refresh_from_db()
    assert [word for _, _, word in scene.words] == shown["transcript"].split()

    assert api.patch(address, {"text": ""}).json()["transcript"] == ""
    assert api.get("/v1/search?q=goat").json()["results"] == []


def test_a_change_to_a_text_that_is_not_there_any_more_is_refused_with_the_one_that_is(api: APIClient, scene: Scene, address: str) -> None:
    seen = f'"{scene.transcript_version}"'
    first = api.patch(address, {"text": "First."}, headers={"If-Match": seen})
    assert first.status_code == 200
    second = api.patch(address, {"text": "Second."}, headers={"If-Match": seen})
    assert second.status_code == 412
    assert second.json() == {
        "detail": "The transcript was changed since you opened it. Review the current text, then save again.",
        "transcript": "First.",
        "transcript_version": first.json()["transcript_version"],
    }
    assert second.headers["ETag"] == first.headers["ETag"]
    assert api.patch(address, {"text": "Second."}, headers={"If-Match": second.headers["ETag"]}).status_code == 200
    assert api.patch(address, {"text": "Third."}, headers={"If-Match": "*"}).status_code == 200


@pytest.mark.parametrize("body", [{}, {"text": None}, {"text": ["a"]}, {"text": "a\x00b"}, {"text": "a" * (TRANSCRIPT_MAX_LENGTH + 1)}])
def test_what_is_no_text_is_refused(api: APIClient, scene: Scene, address: str, body: dict[str, object]) -> None:
    assert api.patch(address, body).status_code == 400
    assert Scene.objects.get(pk=scene.pk).transcript == scene.transcript


def test_the_longest_text_is_taken(api: APIClient, address: str) -> None:
    # Hyphens make PostgreSQL index each word's parts too, and these letters take most room.
    assert (
        api.patch(address, {"text": "".join(f"{chr(0x20000 + place)}-{chr(0x21000 + place)} " for place in range(25_000))}).status_code
        == 200
    )


def test_a_video_that_is_not_ready_and_a_scene_of_another_are_refused(api: APIClient, owner: User, scene: Scene, address: str) -> None:
    other = make_video(owner, ["Another."])
    assert api.patch(f"/v1/videos/{other.pk}/scenes/{scene.pk}/transcript", {"text": "x"}).status_code == 404
    Video.objects.update(state=Video.State.PROCESSING)
    refused = api.patch(address, {"text": "x"})
    assert refused.status_code == 409
    assert refused.json() == {"detail": "This video is processing. Its transcript can be edited once the video is ready."}
