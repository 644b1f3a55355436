"""Scenes are found by their on-screen text, and the answer contains the reason."""

import pytest
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from tests.library import make_user, make_video
from videos.actions.videos import edit_video
from videos.models import Scene, Video
from videos.search.lexical.handler import get_lexical_backend


@pytest.fixture
def video(db: None) -> Video:
    video = make_video(make_user(), ["The boat sails at dawn.", "A boat is moored.", "", "Nobody speaks of it."])
    for index, text in enumerate(["", "Harbour office\nClosed on Mondays", "Boat for sale", "No boats\n<script>alert(1)</script>"]):
        Scene.objects.filter(video=video, index=index).update(on_screen_text=text)
    get_lexical_backend().index(video.list_scene_ids())
    return video


def find_highlights(owner: User, query: str) -> dict[int, dict[str, str]]:
    """Return the highlight of each lexical channel by the index of the scene."""
    api = APIClient()
    api.force_authenticate(owner)
    results = api.get("/v1/search", {"q": query, "join": False}).json()["results"]
    places = {str(pk): index for pk, index in Scene.objects.values_list("pk", "index")}
    return {places[hit["scene_id"]]: {match["channel"]: match["highlight"] for match in hit["matches"]} for hit in results}


def test_each_reason_shows_its_own_words(video: Video) -> None:
    answer = find_highlights(video.owner, "boat")
    assert set(answer) == {0, 1, 2, 3}
    assert answer[0] == {"lexical": "The <mark>boat</mark> sails at dawn."}
    assert answer[2] == {"on_screen": "<mark>Boat</mark> for sale"}
    # Text that looks like a tag is shown as text or dropped. It is never markup.
    assert set(answer[3]) == {"on_screen"}
    assert "<mark>boats</mark>" in answer[3]["on_screen"]
    assert "<script>" not in answer[3]["on_screen"]


def test_spoken_and_visible_words_count_together(video: Video) -> None:
    assert set(find_highlights(video.owner, "boat mondays")[1]) == {"lexical", "on_screen"}
    assert next(iter(find_highlights(video.owner, "boat mondays"))) == 1
    assert set(find_highlights(video.owner, '"boat" "closed on mondays"')) == {1}
    assert set(find_highlights(video.owner, '"office closed"')) == {1}


def test_minus_excludes_a_scene_wherever_the_word_occurs(video: Video) -> None:
    assert set(find_highlights(video.owner, "boat -harbour")) == {0, 2, 3}
    assert set(find_highlights(video.owner, "boat -moored")) == {0, 2, 3}
    assert set(find_highlights(video.owner, "closed -boat")) == set()


def test_a_title_matches_only_in_the_lexical_channel(video: Video) -> None:
    edit_video(video, title="Lighthouse keepers")
    assert {frozenset(channels) for channels in find_highlights(video.owner, "lighthouse").values()} == {frozenset({"lexical"})}


def test_another_owners_on_screen_text_is_not_searched(video: Video) -> None:
    assert find_highlights(make_user("other@example.org"), "boat") == {}
