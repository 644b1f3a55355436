"""Channels are fused by what their matches tell together."""

from uuid import UUID

import pytest

from videos.search.fusion import RankedScene, fuse, limit_per_video, rank_scenes

A, B, C, D = (UUID(int=number) for number in (1, 2, 3, 4))
FILM, OTHER = UUID(int=10), UUID(int=11)


def make_ranked(scene: UUID, channel: str, certainty: float, video: UUID = FILM) -> RankedScene:
    return RankedScene(scene, video, channel, 1, 0.5, certainty, certainty >= 0)


def test_speech_and_images_add_up() -> None:
    fused = fuse(
        [[make_ranked(A, "lexical", 0.5), make_ranked(B, "lexical", 0.4)], [make_ranked(B, "clip", 0.8), make_ranked(C, "clip", 0.9)]]
    )
    assert [scene.scene_id for scene in fused] == [B, A, C]
    assert [rank.channel for rank in fused[0].matches] == ["lexical", "clip"]


def test_the_words_and_the_meaning_of_speech_add_up() -> None:
    fused = fuse([[make_ranked(A, "lexical", 0.4), make_ranked(B, "lexical", 0.3)], [make_ranked(B, "transcript", 1.0)]])
    assert [scene.scene_id for scene in fused] == [B, A]


def test_tags_and_image_are_one_vote() -> None:
    alone, together = fuse(
        [
            [make_ranked(A, "clip", 1.0), make_ranked(B, "clip", 1.0)],
            [make_ranked(B, "visual", 0.9)],
            [make_ranked(B, "shown_words", 0.2)],
        ]
    )
    assert alone.score == together.score
    assert {rank.channel for rank in together.matches} == {"clip", "visual", "shown_words"}


def test_the_summary_of_a_video_only_breaks_ties() -> None:
    fused = fuse(
        [
            [make_ranked(A, "lexical", 0.3), make_ranked(B, "lexical", 0.3), make_ranked(C, "lexical", 0.31)],
            [make_ranked(B, "summary", 2.0)],
        ]
    )
    assert [scene.scene_id for scene in fused] == [C, B, A]


def test_noise_lowers_a_scene_and_is_no_match() -> None:
    fused = fuse(
        [
            [make_ranked(A, "lexical", 0.3), make_ranked(B, "lexical", 0.3)],
            [make_ranked(A, "transcript", -0.5), make_ranked(B, "transcript", 0.0), make_ranked(C, "transcript", -0.1)],
        ]
    )
    assert [scene.scene_id for scene in fused] == [B, A]
    assert [rank.channel for rank in fused[1].matches] == ["lexical"]


def test_an_emphasis_multiplies_one_kind_of_evidence() -> None:
    pools = [[make_ranked(A, "lexical", 0.5)], [make_ranked(B, "clip", 1.0)]]
    assert [scene.scene_id for scene in fuse(pools)] == [A, B]
    assert [scene.scene_id for scene in fuse(pools, {"said": 0.3})] == [B, A]


def test_the_score_gives_a_probability_that_grows_with_it() -> None:
    fused = fuse([[make_ranked(A, "lexical", 0.9), make_ranked(B, "lexical", 0.5), make_ranked(C, "lexical", 0.1)]])
    probabilities = [scene.probability for scene in fused]
    assert sorted(probabilities, reverse=True) == probabilities
    assert 0 < probabilities[2] < probabilities[0] < 1


def test_scenes_with_equal_scores_share_a_rank_and_keep_their_order() -> None:
    rows = [(C, FILM, 0.9, 0.9), (B, FILM, 0.4, 0.4), (A, FILM, 0.4, 0.4), (D, OTHER, 0.1, 0.1)]
    assert [scene.rank for scene in rank_scenes("summary", rows)] == [1, 2, 2, 4]
    assert [scene.scene_id for scene in fuse([rank_scenes("summary", rows)])] == [C, B, A, D]


def test_every_group_of_equal_scores_shares_its_first_rank() -> None:
    rows = [(A, FILM, 0.9, 1.0), (B, FILM, 0.4, 1.0), (C, FILM, 0.4, 1.0), (D, OTHER, 0.1, 1.0), (UUID(int=5), OTHER, 0.1, 1.0)]
    assert [scene.rank for scene in rank_scenes("summary", rows)] == [1, 2, 2, 4, 4]


def test_the_match_with_most_evidence_comes_first() -> None:
    # A certainty of 1 in the channel of images is 0.3 of evidence, as is a share of 0.3 of the words.
    for share, first in ((0.29, "clip"), (0.31, "lexical")):
        (scene,) = fuse([[make_ranked(A, "lexical", share)], [make_ranked(A, "clip", 1.0)]])
        assert scene.matches[0].channel == first


def test_a_video_has_at_most_limit_scenes() -> None:
    fused = fuse(
        [[make_ranked(A, "clip", 1.3), make_ranked(B, "clip", 1.2), make_ranked(D, "clip", 1.1), make_ranked(C, "clip", 1, OTHER)]]
    )
    assert [scene.scene_id for scene in limit_per_video(fused, 1)] == [A, C]
    assert [scene.scene_id for scene in limit_per_video(fused, 2)] == [A, B, C]
    assert limit_per_video(fused, 3) == fused


@pytest.mark.parametrize("pools", [[], [[], []], [[make_ranked(A, "clip", -0.1)]]])
def test_without_a_match_the_answer_is_empty(pools: list[list[RankedScene]]) -> None:
    assert fuse(pools) == []
