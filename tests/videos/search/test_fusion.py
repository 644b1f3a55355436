"""Ranked lists become one, by weighted reciprocal rank."""

from uuid import UUID

import pytest

from videos.search.fusion import K, Ranked, fuse, limit_per_video

A, B, C = (UUID(int=number) for number in (1, 2, 3))
FILM, OTHER = UUID(int=10), UUID(int=11)


def ranked(scene: UUID, channel: str, rank: int, video: UUID = FILM) -> Ranked:
    return Ranked(scene, video, channel, rank, 0.5)


def test_a_scene_that_two_channels_found_beats_one_that_one_found() -> None:
    fused = fuse([[ranked(A, "visual", 1), ranked(B, "visual", 2)], [ranked(B, "clip", 1), ranked(C, "clip", 2)]])
    assert [entry.scene_id for entry in fused] == [B, C, A]
    assert fused[0].score == pytest.approx(0.8 / (K + 2) + 1 / (K + 1))
    assert [place.channel for place in fused[0].because] == ["clip", "visual"]


def test_equal_scores_have_a_stable_order() -> None:
    pools = [[ranked(B, "clip", 1)], [ranked(A, "transcript", 1)]]
    assert [entry.scene_id for entry in fuse(pools)] == [entry.scene_id for entry in fuse(pools[::-1])] == [A, B]


def test_no_video_takes_more_than_its_share() -> None:
    fused = fuse([[ranked(A, "clip", 1), ranked(B, "clip", 2), ranked(C, "clip", 3, OTHER)]])
    assert [entry.scene_id for entry in limit_per_video(fused, 1)] == [A, C]


def test_nothing_found_is_nothing_fused() -> None:
    assert fuse([[], []]) == []
