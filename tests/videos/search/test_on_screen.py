"""Scenes are found by what is written in them, and the answer says so."""

import pytest
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from tests.library import make_user, make_video
from videos.models import Scene, Video


@pytest.fixture
def video(db: None) -> Video:
    video = make_video(make_user(), ["The boat sails at dawn.", "A boat is moored.", "", "Nobody speaks of it."])
    for index, text in enumerate(["", "Harbour office\nClosed on Mondays", "Boat for sale", "No boats\n<script>alert(1)</script>"]):
        Scene.objects.filter(video=video, index=index).update(on_screen_text=text)
    return video


def found(owner: User, query: str) -> dict[int, dict[str, str]]:
    """Return, by the scene's place in the video, the lexical channels that found it and what each highlights."""
    api = APIClient()
    api.force_authenticate(owner)
    results = api.get("/v1/search", {"q": query}).json()["results"]
    places = {str(pk): index for pk, index in Scene.objects.values_list("pk", "index")}
    return {places[hit["scene_id"]]: {match["channel"]: match["highlight"] for match in hit["matches"]} for hit in results}


def test_each_reason_shows_its_own_words(video: Video) -> None:
    answer = found(video.owner, "boat")
    assert set(answer) == {0, 1, 2, 3}
    assert answer[0] == {"lexical": "The <mark>boat</mark> sails at dawn. Likely shows: object 0. object 0"}
    assert answer[2] == {"on_screen": "<mark>Boat</mark> for sale"}
    # What looks like a tag is shown as text, or dropped; it is never markup.
    assert set(answer[3]) == {"on_screen"}
    assert "<mark>boats</mark>" in answer[3]["on_screen"]
    assert "<script>" not in answer[3]["on_screen"]


def test_words_that_are_said_and_written_count_together(video: Video) -> None:
    assert set(found(video.owner, "boat mondays")[1]) == {"lexical", "on_screen"}
    assert next(iter(found(video.owner, "boat mondays"))) == 1
    assert set(found(video.owner, '"boat" "closed on mondays"')) == {1}
    assert set(found(video.owner, '"office closed"')) == {1}


def test_minus_excludes_a_scene_wherever_the_word_stands(video: Video) -> None:
    assert set(found(video.owner, "boat -harbour")) == {0, 2, 3}
    assert set(found(video.owner, "boat -moored")) == {0, 2, 3}
    assert set(found(video.owner, "closed -boat")) == set()


def test_a_title_finds_scenes_by_words_alone(video: Video) -> None:
    Video.objects.filter(pk=video.pk).update(title="Lighthouse keepers")
    assert {frozenset(channels) for channels in found(video.owner, "lighthouse").values()} == {frozenset({"lexical"})}


def test_another_owners_screens_are_not_searched(video: Video) -> None:
    assert found(make_user("other@example.org"), "boat") == {}
