"""Ranked lists become one, by weighted reciprocal rank."""

from uuid import UUID

import pytest

from videos.search.fusion import K, Ranked, fuse, limit_per_video, ranked

A, B, C = (UUID(int=number) for number in (1, 2, 3))
FILM, OTHER = UUID(int=10), UUID(int=11)


def at(scene: UUID, channel: str, rank: int, video: UUID = FILM) -> Ranked:
    return Ranked(scene, video, channel, rank, 0.5)


def test_a_scene_that_two_channels_found_beats_one_that_one_found() -> None:
    fused = fuse([[at(A, "visual", 1), at(B, "visual", 2)], [at(B, "clip", 1), at(C, "clip", 2)]])
    assert [entry.scene_id for entry in fused] == [B, C, A]
    assert fused[0].score == pytest.approx(0.8 / (K + 2) + 1 / (K + 1))
    assert [place.channel for place in fused[0].because] == ["clip", "visual"]


def test_scenes_of_equal_score_share_a_rank_and_stay_in_their_order() -> None:
    rows = [(C, FILM, 0.9), (B, FILM, 0.4), (A, FILM, 0.4), (UUID(int=4), OTHER, 0.1)]
    assert [place.rank for place in ranked("summary", rows)] == [1, 2, 2, 4]
    assert [entry.scene_id for entry in fuse([ranked("summary", rows)])] == [C, B, A, UUID(int=4)]
    pools = [[at(B, "clip", 1)], [at(A, "transcript", 1)]]
    assert [entry.scene_id for entry in fuse(pools)] == [B, A]


def test_no_video_takes_more_than_its_share() -> None:
    fused = fuse([[at(A, "clip", 1), at(B, "clip", 2), at(C, "clip", 3, OTHER)]])
    assert [entry.scene_id for entry in limit_per_video(fused, 1)] == [A, C]


def test_nothing_found_is_nothing_fused() -> None:
    assert fuse([[], []]) == []
