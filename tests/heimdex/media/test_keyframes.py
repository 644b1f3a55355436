"""Which frames stand for a scene."""

import itertools

import numpy as np

from heimdex.media.keyframes import Candidate, CandidateFrames, select_keyframes


def candidate(time_s: float, *, sharpness: float = 100, brightness: float = 120, gray: float = 120) -> Candidate:
    return Candidate(time_s, sharpness, brightness, np.full((9, 16), gray, np.float32), None)


def times(candidates: list[Candidate]) -> list[float]:
    return [frame.time_s for frame in candidates]


def test_black_white_and_blurred_frames_are_not_select_keyframes() -> None:
    frames = [candidate(0, brightness=2), candidate(1, brightness=250), candidate(2, sharpness=1), candidate(3, sharpness=20), candidate(4)]
    assert times(select_keyframes(frames, 5.0)) == [4]


def test_the_most_typical_sharp_frame_stands_for_the_scene() -> None:
    (found,) = select_keyframes([candidate(0, gray=20), candidate(1, gray=100), candidate(2, gray=110), candidate(3, gray=200)], 5.0)
    assert found.time_s in (1, 2)


def test_longer_scenes_have_more_pictures_where_these_differ() -> None:
    frames = [*(candidate(second, gray=100) for second in range(8)), candidate(8, gray=30), candidate(9, gray=180)]
    assert times(select_keyframes(frames, 5.0)) == [0]
    assert times(select_keyframes(frames, 10.0)) == [0, 9]
    assert times(select_keyframes(frames, 40.0)) == [0, 9, 8]
    assert times(select_keyframes(frames[:8], 40.0)) == [0], "copies of one picture say nothing"
    blurred = [*frames[:9], candidate(9, gray=180, sharpness=1)]
    assert times(select_keyframes(blurred, 40.0)) == [0, 8]


def test_a_scene_in_the_dark_still_has_a_picture_and_one_without_frames_has_none() -> None:
    assert times(select_keyframes([candidate(0, brightness=1, sharpness=1), candidate(1, brightness=1, sharpness=2)], 60.0)) == [1]
    assert select_keyframes([], 60.0) == []


def test_hours_of_one_scene_keep_few_frames_from_all_over_it() -> None:
    frames = CandidateFrames()
    for step in range(36_000):
        if frames.needs_frame(step / 10):
            frames.add(candidate(step / 10))
    kept = times(frames.take_before(float("inf")))
    assert 12 <= len(kept) <= 24
    assert kept[0] == 0
    assert max(after - before for before, after in itertools.pairwise(kept)) < 1200


def test_a_short_scene_after_an_hour_has_frames_of_its_own() -> None:
    frames = CandidateFrames()
    for step in range(36_000):
        if frames.needs_frame(step / 10):
            frames.add(candidate(step / 10))
    frames.take_before(3597.0)
    assert len(frames.take_before(3598.0)) >= 2
