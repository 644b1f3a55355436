"""The frames that represent a scene."""

import itertools

import numpy as np
import pytest

from heimdex.media.keyframes import Candidate, CandidateFrames, select_keyframes


def build_candidate(time_s: float, *, sharpness: float = 100, brightness: float = 120, gray: float = 120) -> Candidate:
    return Candidate(time_s, sharpness, brightness, np.full((9, 16), gray, np.float32), None)


def list_times(candidates: list[Candidate]) -> list[float]:
    return [frame.time_s for frame in candidates]


def test_black_white_and_blurred_frames_are_not_selected() -> None:
    frames = [
        build_candidate(0, brightness=2),
        build_candidate(1, brightness=250),
        build_candidate(2, sharpness=1),
        build_candidate(3, sharpness=20),
        build_candidate(4),
    ]
    assert list_times(select_keyframes(frames, 5.0)) == [4]


def test_the_most_typical_sharp_frame_represents_the_scene() -> None:
    (keyframe,) = select_keyframes(
        [build_candidate(0, gray=20), build_candidate(1, gray=100), build_candidate(2, gray=110), build_candidate(3, gray=200)], 5.0
    )
    assert keyframe.time_s in (1, 2)


def test_longer_scenes_have_more_keyframes_if_they_differ() -> None:
    frames = [*(build_candidate(second, gray=100) for second in range(8)), build_candidate(8, gray=30), build_candidate(9, gray=180)]
    assert list_times(select_keyframes(frames, 5.0)) == [0]
    assert list_times(select_keyframes(frames, 10.0)) == [0, 9]
    assert list_times(select_keyframes(frames, 40.0)) == [0, 9, 8]
    assert list_times(select_keyframes(frames[:8], 40.0)) == [0], "copies of one picture say nothing"
    blurred = [*frames[:9], build_candidate(9, gray=180, sharpness=1)]
    assert list_times(select_keyframes(blurred, 40.0)) == [0, 8]


def test_a_dark_scene_has_a_keyframe_and_a_scene_without_frames_has_none() -> None:
    assert list_times(
        select_keyframes([build_candidate(0, brightness=1, sharpness=1), build_candidate(1, brightness=1, sharpness=2)], 60.0)
    ) == [1]
    assert select_keyframes([], 60.0) == []


def test_a_scene_of_hours_keeps_few_frames_evenly_spread() -> None:
    frames = CandidateFrames()
    for step in range(36_000):
        if frames.needs_frame(step / 10):
            frames.add(build_candidate(step / 10))
    kept = list_times(frames.take_before(float("inf")))
    assert 12 <= len(kept) <= 24
    assert kept[0] == 0
    assert max(after - before for before, after in itertools.pairwise(kept)) < 1200


def test_a_short_scene_after_an_hour_has_its_own_frames() -> None:
    frames = CandidateFrames()
    for step in range(36_000):
        if frames.needs_frame(step / 10):
            frames.add(build_candidate(step / 10))
    frames.take_before(3597.0)
    assert len(frames.take_before(3598.0)) >= 2


@pytest.mark.parametrize(
    ("features", "is_clear"),
    [
        ({"brightness": 30.0}, True),
        ({"brightness": 29.9}, False),
        ({"brightness": 221.0}, True),
        ({"brightness": 221.1}, False),
        ({"sharpness": 4.0}, True),
        ({"sharpness": 3.9}, False),
    ],
)
def test_a_representative_frame_is_neither_dark_bright_nor_blurred(features: dict[str, float], is_clear: bool) -> None:
    """The other frame is sharper, so it represents the scene if neither passes."""
    frame, sharper = build_candidate(0, **{"sharpness": 10, **features}), build_candidate(1, sharpness=11, brightness=1)
    assert list_times(select_keyframes([frame, sharper], 5.0)) == [0 if is_clear else 1]


@pytest.mark.parametrize(("sharpness", "selected"), [(60.0, 0), (59.0, 1)])
def test_the_representative_is_about_as_sharp_as_the_sharpest(sharpness: float, selected: int) -> None:
    """The first frame is the median of the three if it counts."""
    frames = [build_candidate(0, sharpness=sharpness, gray=100), build_candidate(1, gray=104), build_candidate(2, gray=60)]
    assert list_times(select_keyframes(frames, 5.0))[0] == selected


@pytest.mark.parametrize(("length_s", "count"), [(7.9, 1), (8.0, 2), (29.9, 2), (30.0, 3)])
def test_scenes_of_eight_and_thirty_seconds_have_two_and_three_keyframes(length_s: float, count: int) -> None:
    frames = [build_candidate(0, gray=100), build_candidate(1, gray=30), build_candidate(2, gray=180)]
    assert len(select_keyframes(frames, length_s)) == count


@pytest.mark.parametrize(("gray", "count"), [(112.0, 2), (111.9, 1), (88.0, 2), (88.1, 1)])
def test_a_further_keyframe_differs_by_twelve_levels(gray: float, count: int) -> None:
    frames = [build_candidate(0, gray=100), build_candidate(1, gray=100), build_candidate(2, gray=gray)]
    assert len(select_keyframes(frames, 10.0)) == count


def test_candidates_are_four_tenths_of_a_second_apart() -> None:
    frames = CandidateFrames()
    assert frames.needs_frame(0.0)
    frames.add(build_candidate(0.0))
    assert [frames.needs_frame(time_s) for time_s in (0.3, 0.39, 0.4, 0.5)] == [False, False, True, True]


def test_twelve_candidates_are_kept_before_the_last_four_seconds() -> None:
    frames = CandidateFrames()
    for second in range(17):
        frames.add(build_candidate(second))
    # Those of the last four seconds, the one four seconds ago, and twelve before it.
    assert list_times(frames.take_before(100)) == [float(second) for second in range(17)]
    for second in range(18):
        frames.add(build_candidate(second))
    # Of thirteen, one whose neighbors are closest together is dropped: the second.
    assert list_times(frames.take_before(100)) == [0.0, *(float(second) for second in range(2, 18))]


def test_a_candidate_exactly_four_seconds_old_may_still_be_needed() -> None:
    frames = CandidateFrames()
    for time_s in [*(float(second) for second in range(13)), 16.0]:
        frames.add(build_candidate(time_s))
    assert len(list_times(frames.take_before(100))) == 14
    for time_s in [*(float(second) for second in range(13)), 16.1]:
        frames.add(build_candidate(time_s))
    assert len(list_times(frames.take_before(100))) == 13


def test_candidates_of_a_scene_are_those_before_its_end() -> None:
    frames = CandidateFrames()
    for second in range(4):
        frames.add(build_candidate(second))
    assert list_times(frames.take_before(2.0)) == [0, 1]
    assert list_times(frames.take_before(2.1)) == [2]
