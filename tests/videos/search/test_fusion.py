"""Ranked lists are fused by weighted reciprocal rank."""

from uuid import UUID

import pytest

from videos.search.fusion import RankedScene, fuse, limit_per_video, rank_scenes

A, B, C, D = (UUID(int=number) for number in (1, 2, 3, 4))
FILM, OTHER = UUID(int=10), UUID(int=11)


def at(scene: UUID, channel: str, rank: int, video: UUID = FILM) -> RankedScene:
    return RankedScene(scene, video, channel, rank, 0.5)


def test_a_scene_that_two_channels_found_beats_one_that_one_found() -> None:
    fused = fuse([[at(A, "visual", 1), at(B, "visual", 2)], [at(B, "clip", 1), at(C, "clip", 2)]])
    assert [scene.scene_id for scene in fused] == [B, C, A]
    assert [rank.channel for rank in fused[0].ranks] == ["clip", "visual"]


@pytest.mark.parametrize(
    ("channel", "weight"),
    [("lexical", 1.5), ("on_screen", 1.2), ("person", 1.0), ("transcript", 1.0), ("visual", 0.8), ("clip", 1.0), ("summary", 0.3)],
)
def test_each_channel_has_its_weight(channel: str, weight: float) -> None:
    first, third = fuse([[at(A, channel, 1), at(B, channel, 3)]])
    assert (first.score, third.score) == (pytest.approx(weight / 61), pytest.approx(weight / 63))


def test_many_low_ranks_beat_a_single_high_one_by_as_much_as_sixty_damps_the_ranks() -> None:
    # With K = 60, ranks 1 and 67 of two equal channels add up to less than two ranks 22 and to more than two ranks 23.
    fused = fuse(
        [[at(A, "clip", 1), at(B, "clip", 22), at(C, "clip", 23)], [at(B, "person", 22), at(C, "person", 23), at(A, "person", 67)]]
    )
    assert [scene.scene_id for scene in fused] == [B, A, C]


def test_scenes_of_equal_score_share_a_rank_and_stay_in_their_order() -> None:
    rows = [(C, FILM, 0.9), (B, FILM, 0.4), (A, FILM, 0.4), (D, OTHER, 0.1)]
    assert [scene.rank for scene in rank_scenes("summary", rows)] == [1, 2, 2, 4]
    assert [scene.scene_id for scene in fuse([rank_scenes("summary", rows)])] == [C, B, A, D]
    pools = [[at(B, "clip", 1)], [at(A, "transcript", 1)]]
    assert [scene.scene_id for scene in fuse(pools)] == [B, A]


def test_later_groups_of_equal_scores_share_the_rank_of_their_first() -> None:
    rows = [(A, FILM, 0.9), (B, FILM, 0.4), (C, FILM, 0.4), (D, OTHER, 0.1), (UUID(int=5), OTHER, 0.1)]
    assert [scene.rank for scene in rank_scenes("summary", rows)] == [1, 2, 2, 4, 4]


def test_the_channel_that_adds_most_to_the_score_comes_first() -> None:
    # 1.0 / (60 + 1) is more than 1.5 / (60 + 45), and less than 1.5 / (60 + 20).
    for rank, first in ((45, "clip"), (20, "lexical")):
        (scene,) = fuse([[at(A, "lexical", rank)], [at(A, "clip", 1)]])
        assert scene.ranks[0].channel == first


def test_no_video_has_more_scenes_than_the_limit() -> None:
    fused = fuse([[at(A, "clip", 1), at(B, "clip", 2), at(D, "clip", 3), at(C, "clip", 4, OTHER)]])
    assert [scene.scene_id for scene in limit_per_video(fused, 1)] == [A, C]
    assert [scene.scene_id for scene in limit_per_video(fused, 2)] == [A, B, C]
    assert limit_per_video(fused, 3) == fused


def test_empty_pools_give_an_empty_answer() -> None:
    assert fuse([[], []]) == []
