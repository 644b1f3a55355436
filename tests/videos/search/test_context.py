"""The scenes before and after a scene add to its similarity."""

from uuid import UUID

import pytest

from videos.search.context import NEIGHBOR_WEIGHT, ScenePlace, add_context

FILM, OTHER = UUID(int=1), UUID(int=2)


def make_places(video: UUID, *indexes: int) -> list[ScenePlace]:
    return [ScenePlace(UUID(int=video.int * 100 + index), video, index) for index in indexes]


def test_each_neighbor_adds_a_fifth_of_its_similarity() -> None:
    first, second, third, fifth = places = make_places(FILM, 0, 1, 2, 4)
    similarities = {first.scene_id: 0.5, second.scene_id: 0.4, third.scene_id: 0.1, fifth.scene_id: 0.3}
    assert NEIGHBOR_WEIGHT == 0.2
    assert list(add_context(similarities, places).values()) == pytest.approx([0.58, 0.52, 0.18, 0.3])


def test_scenes_of_other_videos_and_scenes_without_a_vector_add_nothing() -> None:
    (first, second), (other,) = make_places(FILM, 0, 1), make_places(OTHER, 1)
    sums = add_context({first.scene_id: 0.5, other.scene_id: 0.9}, [first, second, other])
    assert sums == {first.scene_id: 0.5, other.scene_id: 0.9}
