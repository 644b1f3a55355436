"""First one thing, then another within some seconds."""

from uuid import UUID, uuid4

import pytest
from rest_framework.test import APIClient

from tests.library import make_user, make_video
from videos.models import Video
from videos.search.fusion import FusedScene
from videos.search.sequences import Interval, join_sequences

FILM, OTHER = uuid4(), uuid4()
SCENES = [UUID(int=number) for number in range(6)]
# Scenes of ten seconds, one after the other.
TIMES = {scene_id: Interval(10.0 * number, 10.0 * number + 10) for number, scene_id in enumerate(SCENES)}


def score(**scores: float) -> list[FusedScene]:
    """Return scenes of the film by name (s0 …) with their scores."""
    return [FusedScene(SCENES[int(name[1:])], FILM, value, ()) for name, value in scores.items()]


@pytest.mark.parametrize(
    ("within_s", "pairs"),
    [
        (0.0, {0: 1}),
        (9.9, {0: 1}),
        # The best of those inside the window counts.
        (10.0, {0: 2, 1: 2}),
        (40.0, {0: 2, 1: 2}),
    ],
)
def test_the_second_scene_starts_inside_the_window(within_s: float, pairs: dict[int, int]) -> None:
    _, successors = join_sequences(score(s0=1, s1=1)[: 2 if within_s >= 10 else 1], score(s0=9, s1=1, s2=2), TIMES, within_s)
    assert {SCENES.index(first): SCENES.index(second) for first, second in successors.items()} == pairs


def test_pairs_are_ranked_by_both_scores_and_of_equal_followers_the_earliest_counts() -> None:
    joined, successors = join_sequences(score(s0=1, s3=0.9), score(s1=0.1, s2=0.1, s4=0.5), TIMES, 10)
    assert [(SCENES.index(scene.scene_id), scene.score) for scene in joined] == [(3, 1.4), (0, 1.1)]
    assert successors[SCENES[0]] == SCENES[1]


def test_a_scene_of_another_video_or_the_same_scene_does_not_follow() -> None:
    elsewhere = [FusedScene(SCENES[1], OTHER, 1.0, ())]
    assert join_sequences(score(s0=1), elsewhere, TIMES, 100) == ([], {})
    assert join_sequences(score(s1=1), score(s0=1, s1=1), TIMES, 100) == ([], {})
    # Deleted during the search.
    assert join_sequences(score(s0=1), score(s1=1), {SCENES[1]: TIMES[SCENES[1]]}, 100) == ([], {})


@pytest.fixture
def api(db: None) -> APIClient:
    owner = make_user()
    make_video(owner, ["A train arrives.", "Somebody waits.", "The station is empty.", "The train leaves."], title="Journey")
    make_video(owner, ["The station is empty.", "A train arrives."], title="Backwards")
    client = APIClient()
    client.force_authenticate(owner)
    return client


def find(api: APIClient, q: str, **parameters: object) -> list[tuple[str, float, float | None]]:
    results = api.get("/v1/search", {"q": q, **parameters}).json()["results"]
    return [(hit["title"], hit["start_s"], hit["next_scene"] and hit["next_scene"]["start_s"]) for hit in results]


def test_one_query_follows_another_in_the_api(api: APIClient) -> None:
    assert find(api, "said:train then:5 said:station") == [("Journey", 0.0, 10.0)]
    assert find(api, "said:train then:4 said:station") == []
    assert sorted(find(api, "said:station then:0 said:train")) == [("Backwards", 0.0, 5.0), ("Journey", 10.0, 15.0)]
    assert find(api, "said:train -arrives then:5 said:station") == []
    assert find(api, "title:journey said:waits then:60 tag:object") == []
    assert find(api, 'tag:"object 0" then:60 tag:"object 2"') == [("Journey", 0.0, 10.0)]


def test_filters_hold_for_both_parts(api: APIClient) -> None:
    video = Video.objects.get(title="Backwards")
    assert find(api, "said:station then:0 said:train", video_id=video.pk) == [("Backwards", 0.0, 5.0)]
