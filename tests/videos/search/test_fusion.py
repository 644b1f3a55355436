"""Ranked lists are fused by weighted reciprocal rank."""

from uuid import UUID

import pytest

from videos.search.fusion import RankedScene, fuse, limit_per_video, rank_scenes

A, B, C, D = (UUID(int=number) for number in (1, 2, 3, 4))
FILM, OTHER = UUID(int=10), UUID(int=11)


def make_ranked(scene: UUID, channel: str, rank: int, video: UUID = FILM) -> RankedScene:
    return RankedScene(scene, video, channel, rank, 0.5)


def test_a_scene_in_two_channels_beats_a_scene_in_one() -> None:
    fused = fuse([[make_ranked(A, "visual", 1), make_ranked(B, "visual", 2)], [make_ranked(B, "clip", 1), make_ranked(C, "clip", 2)]])
    assert [scene.scene_id for scene in fused] == [B, C, A]
    assert [rank.channel for rank in fused[0].ranks] == ["clip", "visual"]


@pytest.mark.parametrize(
    ("channel", "weight"),
    [("lexical", 1.5), ("on_screen", 1.2), ("person", 1.0), ("transcript", 1.0), ("visual", 0.8), ("clip", 1.0), ("summary", 0.3)],
)
def test_each_channel_has_its_weight(channel: str, weight: float) -> None:
    first, third = fuse([[make_ranked(A, channel, 1), make_ranked(B, channel, 3)]])
    assert (first.score, third.score) == (pytest.approx(weight / 61), pytest.approx(weight / 63))


def test_a_constant_of_sixty_balances_many_low_ranks_and_a_single_high_one() -> None:
    # With K = 60, ranks 1 and 67 of two equal channels add up to less than two ranks 22 and to more than two ranks 23.
    fused = fuse(
        [
            [make_ranked(A, "clip", 1), make_ranked(B, "clip", 22), make_ranked(C, "clip", 23)],
            [make_ranked(B, "person", 22), make_ranked(C, "person", 23), make_ranked(A, "person", 67)],
        ]
    )
    assert [scene.scene_id for scene in fused] == [B, A, C]


def test_scenes_with_equal_scores_share_a_rank_and_keep_their_order() -> None:
    rows = [(C, FILM, 0.9), (B, FILM, 0.4), (A, FILM, 0.4), (D, OTHER, 0.1)]
    assert [scene.rank for scene in rank_scenes("summary", rows)] == [1, 2, 2, 4]
    assert [scene.scene_id for scene in fuse([rank_scenes("summary", rows)])] == [C, B, A, D]
    pools = [[make_ranked(B, "clip", 1)], [make_ranked(A, "transcript", 1)]]
    assert [scene.scene_id for scene in fuse(pools)] == [B, A]


def test_every_group_of_equal_scores_shares_its_first_rank() -> None:
    rows = [(A, FILM, 0.9), (B, FILM, 0.4), (C, FILM, 0.4), (D, OTHER, 0.1), (UUID(int=5), OTHER, 0.1)]
    assert [scene.rank for scene in rank_scenes("summary", rows)] == [1, 2, 2, 4, 4]


def test_the_channel_that_adds_most_to_the_score_comes_first() -> None:
    # 1.0 / (60 + 1) is more than 1.5 / (60 + 45), and less than 1.5 / (60 + 20).
    for rank, first in ((45, "clip"), (20, "lexical")):
        (scene,) = fuse([[make_ranked(A, "lexical", rank)], [make_ranked(A, "clip", 1)]])
        assert scene.ranks[0].channel == first


def test_a_video_has_at_most_limit_scenes() -> None:
    fused = fuse([[make_ranked(A, "clip", 1), make_ranked(B, "clip", 2), make_ranked(D, "clip", 3), make_ranked(C, "clip", 4, OTHER)]])
    assert [scene.scene_id for scene in limit_per_video(fused, 1)] == [A, C]
    assert [scene.scene_id for scene in limit_per_video(fused, 2)] == [A, B, C]
    assert limit_per_video(fused, 3) == fused


def test_empty_pools_give_an_empty_answer() -> None:
    assert fuse([[], []]) == []
