"""The frames that represent a scene."""

import io
import itertools

import numpy as np
import pytest
from av.video.frame import VideoFrame
from PIL import Image

from heimdex.media.frames import SmallFrame
from heimdex.media.keyframes import Candidate, CandidateFrames, encode_keyframe, make_candidate, select_keyframes


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


def test_the_candidate_with_the_closest_neighbors_is_dropped() -> None:
    """The 14th candidate makes 13 of the others older than four seconds."""
    older = [*(float(second) for second in range(0, 101, 10)), 102.0, 103.0]
    older[5] = 41.0
    candidates = CandidateFrames()
    for time_s in [*older, 107.1]:
        candidates.add(build_candidate(time_s))
    assert list_times(candidates.take_before(1000.0)) == [*older[:11], 103.0, 107.1]


def build_frame(width: int, height: int) -> VideoFrame:
    return VideoFrame.from_ndarray(np.zeros((height, width, 3), np.uint8), format="rgb24")


SMALL = SmallFrame(np.tile(np.array([0, 255], np.uint8), (144, 128)), np.zeros((72, 128, 3), np.uint8))


@pytest.mark.parametrize(
    ("size", "stored"),
    [
        ((1280, 720), (1280, 720)),
        ((1282, 720), (1280, 718)),
        ((2560, 1440), (1280, 720)),
        ((1440, 2560), (720, 1280)),
        ((2560, 2), (1280, 2)),
    ],
)
def test_a_candidate_is_kept_at_the_size_that_would_be_stored(size: tuple[int, int], stored: tuple[int, int]) -> None:
    frame = build_frame(*size)
    candidate = make_candidate(frame, SMALL, 3.0)
    assert candidate.frame is not None
    assert (candidate.frame.width, candidate.frame.height) == stored
    assert (candidate.frame is frame) is (size == stored)
    assert candidate.miniature.shape == (9, 16)
    assert candidate.brightness == 127.5
    assert candidate.sharpness > 1000


@pytest.mark.parametrize(
    ("size", "rotation", "image_size", "thumbnail_size"),
    [
        ((1280, 720), 0, (1280, 720), (320, 180)),
        ((1280, 720), 180, (1280, 720), (320, 180)),
        ((1280, 720), 90, (720, 1280), (180, 320)),
        ((1280, 720), 270, (720, 1280), (180, 320)),
        ((100, 50), 0, (100, 50), (100, 50)),
        ((640, 1), 0, (640, 1), (320, 1)),
        ((640, 1), 90, (1, 640), (1, 320)),
    ],
)
def test_a_keyframe_is_upright_and_its_thumbnail_small(
    size: tuple[int, int], rotation: int, image_size: tuple[int, int], thumbnail_size: tuple[int, int]
) -> None:
    keyframe = encode_keyframe(Candidate(1.0, 5.0, 100.0, np.zeros((9, 16), np.float32), build_frame(*size)), rotation)
    assert keyframe is not None
    image = Image.open(io.BytesIO(keyframe.jpeg))
    assert (image.size, Image.open(io.BytesIO(keyframe.thumbnail)).size) == (image_size, thumbnail_size)
    # The first quantization step of quality 88.
    assert image.quantization[0][0] == 4  # type: ignore[attr-defined]


def test_a_frame_is_rotated_counterclockwise() -> None:
    pixels = np.zeros((40, 80, 3), np.uint8)
    pixels[:, :40] = 255
    candidate = Candidate(1.0, 5.0, 100.0, np.zeros((9, 16), np.float32), VideoFrame.from_ndarray(pixels, format="rgb24"))
    shades = {}
    for rotation in (90, 270):
        keyframe = encode_keyframe(candidate, rotation)
        assert keyframe is not None
        shades[rotation] = np.asarray(Image.open(io.BytesIO(keyframe.jpeg)).convert("L"))
    assert shades[90][70].mean() > 200 > 50 > shades[90][10].mean()
    assert shades[270][10].mean() > 200 > 50 > shades[270][70].mean()


def test_a_candidate_without_a_frame_has_no_keyframe() -> None:
    assert encode_keyframe(build_candidate(1.0), 0) is None
