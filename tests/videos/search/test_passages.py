"""Neighboring scenes that answer a query together are one result."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from heimdex.accounts.models import User
from heimdex.database.time_budget import TimeBudget
from tests.library import make_user, make_video
from videos.evaluation.rankings import rank_query
from videos.evaluation.report import FUSION
from videos.models import Scene
from videos.search.answer_page import AnswerPage, find_page
from videos.search.fusion import FusedScene, RankedScene
from videos.search.passages import MAX_SCENES, MAX_SECONDS, MIN_SHARE, ScenePosition, join_neighbors
from videos.search.pools import SearchContext
from videos.search.ranking import NOT_JOINED, Ranking, join_passages
from videos.search.service import SearchRequest, search

FILM, OTHER = uuid4(), uuid4()


def make_ranking(*rows: tuple[int, float], video_id: UUID = FILM) -> list[FusedScene]:
    """Return matching scenes of a video, as pairs of number and probability."""
    ids = [(UUID(int=number), probability) for number, probability in rows]
    return [
        FusedScene(scene_id, video_id, 1.0, (RankedScene(scene_id, video_id, "lexical", 1, 1.0, 1.0),), probability)
        for scene_id, probability in ids
    ]


def join(scenes: list[FusedScene], *, seconds: float = 5.0, known: int = 20) -> tuple[list[int], dict[int, list[int]]]:
    """Return the numbers of the scenes that are left, and those of each passage. Scenes follow each other, each of some seconds."""
    positions = {UUID(int=number): ScenePosition(number, seconds * number, seconds * (number + 1)) for number in range(known)}
    left, passages = join_neighbors(scenes, positions)
    return [scene.scene_id.int for scene in left], {best.int: [scene.int for scene in passage] for best, passage in passages.items()}


def test_neighbors_join_the_best_scene_which_keeps_its_place() -> None:
    assert join(make_ranking((9, 0.9), (3, 0.8), (6, 0.7), (2, 0.6), (4, 0.5))) == ([9, 3, 6], {3: [2, 3, 4]})


def test_a_passage_grows_to_the_better_neighbor_first_and_has_at_most_four_scenes() -> None:
    assert MAX_SCENES == 4
    assert join(make_ranking((4, 0.9), (5, 0.89), (3, 0.88), (6, 0.87), (2, 0.86), (1, 0.85))) == ([4, 2], {4: [3, 4, 5, 6], 2: [1, 2]})


def test_a_passage_has_at_most_60_seconds() -> None:
    assert MAX_SECONDS == 60
    ranking = make_ranking((1, 0.9), (2, 0.9), (3, 0.9), (4, 0.9))
    assert join(ranking, seconds=20.0) == ([1, 4], {1: [1, 2, 3]})
    assert join(ranking, seconds=20.1) == ([1, 3], {1: [1, 2], 3: [3, 4]})
    assert join(ranking, seconds=30.1) == ([1, 2, 3, 4], {})


def test_a_neighbor_must_answer_at_least_half_as_probably_as_the_best_scene() -> None:
    assert MIN_SHARE == 0.5
    assert join(make_ranking((1, 0.8), (2, 0.4))) == ([1], {1: [1, 2]})
    # The third scene is half as probable as its neighbor, but not as the best scene.
    assert join(make_ranking((1, 0.8), (2, 0.4), (3, 0.39))) == ([1, 3], {1: [1, 2]})


def test_scenes_of_another_video_not_adjacent_or_deleted_or_without_a_match_stay_alone() -> None:
    assert join([*make_ranking((1, 0.9)), *make_ranking((2, 0.9), video_id=OTHER)]) == ([1, 2], {})
    assert join(make_ranking((1, 0.9), (3, 0.9))) == ([1, 3], {})
    assert join(make_ranking((1, 0.9), (2, 0.9)), known=2) == ([1, 2], {})
    unmatched = [FusedScene(UUID(int=number), FILM, 0.0) for number in (1, 2)]
    assert join(unmatched) == ([1, 2], {})
    assert join([]) == ([], {})


def find(api: APIClient, q: str = "boat", **parameters: object) -> list[tuple[str, tuple[float, float] | None]]:
    """Return title and times of the passage of each result."""
    results = api.get("/v1/search", {"q": q, **parameters}).json()["results"]
    return [
        (hit["title"], hit["passage"] and (hit["passage"]["start_s"], hit["passage"]["end_s"]))
        for hit in sorted(results, key=lambda hit: hit["start_s"])
    ]


def test_a_result_has_the_time_of_its_best_scene_and_its_passage(api: APIClient, owner: User) -> None:
    video = make_video(owner, ["A boat."] * 3)
    answer = api.get("/v1/search", {"q": "boat"}).json()
    (hit,) = answer["results"]
    best = video.scenes.get(pk=hit["scene_id"])
    assert (hit["start_s"], hit["end_s"]) == (best.start_s, best.end_s)
    scene_ids = [str(scene_id) for scene_id in video.scenes.order_by("index").values_list("pk", flat=True)]
    assert hit["passage"] == {"start_s": 0.0, "end_s": 15.0, "scene_ids": scene_ids}
    assert answer["total"] == 1


def test_joining_is_switched_off(api: APIClient, owner: User) -> None:
    video = make_video(owner, ["A boat."] * 3)
    assert find(api, join=False) == [("A film", None)] * 3
    assert find(api, video_id=video.pk) == [("A film", (0.0, 15.0))]
    assert find(api, video_id=video.pk, join=False) == [("A film", None)] * 3


@pytest.mark.parametrize("q", ["title:film", "boat then:60 boat", "after:2000"])
def test_lists_and_sequences_have_single_scenes(api: APIClient, owner: User, q: str) -> None:
    make_video(owner, ["A boat."] * 3)
    assert find(api, q) == find(api, q, join=False)
    assert len(find(api, q)) > 1


def test_the_limit_for_each_video_and_pages_count_passages(api: APIClient, owner: User) -> None:
    make_video(owner, ["A boat."] * 12)
    assert len(find(api)) == len(find(api, limit=100)) >= 3
    assert len(find(api, per_video=2)) == 2
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = api.post("/v1/search", {"q": "boat", "limit": 2, "cursor": cursor}, format="json").json()
        assert (page["offset"], page["total"]) == (len(seen), len(find(api)))
        seen += [hit["scene_id"] for hit in page["results"]]
        cursor = page["next_cursor"]
    assert seen == [hit["scene_id"] for hit in api.get("/v1/search", {"q": "boat"}).json()["results"]]
    # The cursor of another answer.
    cursor = api.get("/v1/search", {"q": "boat", "limit": 1}).json()["next_cursor"]
    assert api.get("/v1/search", {"q": "boat", "join": False, "cursor": cursor}).status_code == 400


def test_facets_count_each_scene_of_a_passage(api: APIClient, owner: User) -> None:
    make_video(owner, ["A boat."] * 3)
    answer = api.get("/v1/search", {"q": "boat", "facets": True}).json()
    assert (answer["total"], answer["facets"]["videos"][0]["count"]) == (1, 3)


def test_in_another_order_a_passage_is_where_its_best_scene_is(api: APIClient, owner: User) -> None:
    make_video(owner, ["A boat.", "A boat.", "", "", "", "", "", "A boat."], title="B")
    make_video(owner, ["A boat."], title="A")
    assert [title for title, _ in find(api, sort="title")].count("B") == len(find(api)) - 1
    results = api.get("/v1/search", {"q": "boat", "sort": "title"}).json()["results"]
    assert [hit["title"] for hit in results] == sorted(hit["title"] for hit in results)
    starts = [hit["start_s"] for hit in results if hit["title"] == "B"]
    assert starts == sorted(starts)


def test_another_owners_scenes_are_in_no_passage(api: APIClient, owner: User) -> None:
    mine = make_video(owner, ["A boat."] * 2)
    make_video(make_user("other@example.org"), ["A boat."] * 3)
    results = api.get("/v1/search", {"q": "boat"}).json()["results"]
    scene_ids = {scene_id for hit in results for scene_id in hit["passage"]["scene_ids"]}
    assert scene_ids == {str(scene_id) for scene_id in mine.list_scene_ids()}


@pytest.mark.parametrize("left", [3, 2, 1, 0])
def test_scenes_deleted_during_the_search_are_left_out(api: APIClient, owner: User, left: int, monkeypatch: pytest.MonkeyPatch) -> None:
    video = make_video(owner, ["A boat."] * 3)

    def find_and_delete(*arguments: Any) -> AnswerPage:
        page = find_page(*arguments)
        others = [scene_id for scene_id in video.list_scene_ids() if scene_id != page.scenes[0].scene_id]
        gone = video.list_scene_ids() if left == 0 else others[: 3 - left]
        Scene.objects.filter(pk__in=gone).delete()
        return page

    monkeypatch.setattr("videos.search.service.find_page", find_and_delete)
    results = api.get("/v1/search", {"q": "boat"}).json()["results"]
    assert len(results) == min(left, 1)
    if left > 1:
        assert set(results[0]["passage"]["scene_ids"]) == {str(scene_id) for scene_id in video.list_scene_ids()}
    elif left == 1:
        assert results[0]["passage"] is None


def test_joining_changes_neither_scores_nor_order_and_measurements_rank_single_scenes(owner: User) -> None:
    video = make_video(owner, ["A boat.", "A boat and a boat.", "", "A long boat.", "A boat."])
    joined = search(owner, SearchRequest("boat", join=True))
    single = search(owner, SearchRequest("boat"))
    kept = {hit.scene.pk for hit in joined.hits}
    assert [(hit.scene.pk, hit.score) for hit in joined.hits] == [(hit.scene.pk, hit.score) for hit in single.hits if hit.scene.pk in kept]
    assert len(kept) < len(single.hits)
    scene_ids = [hit.scene.pk for hit in single.hits]
    assert rank_query(owner, "boat").by_mode[FUSION] == rank_query(owner, "boat", video.pk).by_mode[FUSION] == scene_ids


def test_scenes_stay_apart_when_the_time_is_over(owner: User) -> None:
    video = make_video(owner, ["A boat."] * 2)
    ids = [scene_id.int for scene_id in video.list_scene_ids()]
    ranking = Ranking(make_ranking((ids[0], 0.9), (ids[1], 0.9), video_id=video.pk), ["Before."])
    assert len(join_passages(SearchContext(owner.pk), ranking).scenes) == 1
    late = join_passages(SearchContext(owner.pk, budget=TimeBudget(0)), ranking)
    assert (late.scenes, late.passages) == (ranking.scenes, {})
    assert late.notices == ["Before.", NOT_JOINED]


def test_the_number_of_queries_does_not_grow_with_passages(api: APIClient, owner: User) -> None:
    def count_queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert find(api)
        return len(captured)

    make_video(owner, ["A boat.", "A boat."])
    for_one = count_queries()
    for _ in range(3):
        make_video(owner, ["A boat."] * 4)
    assert count_queries() == for_one


def test_a_passage_ends_with_its_video(api: APIClient, owner: User) -> None:
    for title in ("A", "B"):
        make_video(owner, ["A boat."] * 2, title=title)
    assert sorted(find(api)) == [("A", (0.0, 10.0)), ("B", (0.0, 10.0))]
