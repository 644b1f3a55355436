"""The rule for cuts at its exact thresholds, on synthetic features."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from heimdex.media.cuts import CutFinder, is_cut_from_motion, is_flash, is_hard_cut, show_different_content
from heimdex.media.fades import GradualCut
from heimdex.media.frames import FrameFeatures
from tests.heimdex.media.synthetic import TINY, make_flat, make_frame, make_shot

GrayImage = NDArray[np.uint8]
S1, S2 = make_shot(0), make_shot(20)


def find_cuts(frames: Iterable[FrameFeatures]) -> list[float]:
    """Return all cuts, in seconds."""
    finder = CutFinder()
    times_s = [cut for frame in frames for cut in finder.add(frame)]
    return times_s + finder.finish()


def build_sequence(
    changes: Sequence[float], shots: Sequence[NDArray[np.float32]], lumas: Sequence[GrayImage] = (), fps: float = 25
) -> list[FrameFeatures]:
    """Build frames with these changes, each of the shot (or the last one) at its index."""
    return [
        make_frame(
            index / fps,
            change=change,
            miniature=shots[min(index, len(shots) - 1)],
            luma=lumas[min(index, len(lumas) - 1)] if lumas else TINY,
        )
        for index, change in enumerate(changes)
    ]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([0, 0, 4.0, 0, 0], True),
        ([0, 0, 3.9, 0, 0], False),
        ([2, 2, 6.0, 2, 2], True),
        ([2, 2, 5.9, 2, 2], False),
        ([8, 0, 6.0, 0, 0], True),
        ([0, 0, 5.9, 0, 8], False),
    ],
)
def test_a_hard_cut_changes_three_times_as_much_as_its_neighbors(changes: list[float], expected: bool) -> None:
    assert is_hard_cut(changes) is expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([0, 0, 6.0, 0, 0], True),
        ([0, 0, 5.9, 0, 0], False),
        ([3, 3, 9.0, 50, 50], True),
        ([3, 3, 8.9, 50, 50], False),
        ([50, 50, 9.0, 1, 5], True),
        ([50, 50, 8.9, 1, 5], False),
    ],
)
def test_a_cut_from_motion_exceeds_one_side_by_far(changes: list[float], expected: bool) -> None:
    assert is_cut_from_motion(changes) is expected


@pytest.mark.parametrize(
    ("mismatches", "contrast", "expected"), [(12, 8.1, True), (12, 8.0, False), (11, 50, False), (12, 50, True), (20, 50, True)]
)
def test_frames_of_little_correlation_show_different_content_unless_one_is_blank(mismatches: int, contrast: float, expected: bool) -> None:
    """12 mismatches are a correlation of exactly 0.4."""
    first, second = make_frame(miniature=S1), make_frame(miniature=make_shot(mismatches), contrast=contrast)
    if mismatches == 11:
        # In between: 0.46.
        second = make_frame(miniature=(make_shot(10) + make_shot(12)) / 2, contrast=contrast)
    assert show_different_content(first, second) is show_different_content(second, first) is expected


@pytest.mark.parametrize(("last_shot", "cuts"), [(20, [0.8]), (12, [0.8]), (10, [])])
def test_a_shot_in_motion_ends_with_a_cut_where_the_content_differs(last_shot: int, cuts: list[float]) -> None:
    """A change of 14 is less than three times the mean of its neighbors, and more than three times that of the calm side."""
    changes = [*[9.0] * 20, 14.0, *[3.0] * 40]
    assert find_cuts(build_sequence(changes, [*[S1] * 20, make_shot(last_shot)])) == cuts


def test_a_jerk_in_motion_is_not_a_cut() -> None:
    """The first and the last frame show different content, but no single change stands out."""
    changes = [*[9.0] * 20, 14.0, *[9.0] * 40]
    assert find_cuts(build_sequence(changes, [*[S1] * 20, S2])) == []


@pytest.mark.parametrize(
    ("change", "motion", "cuts"), [(2.0, 0.5, [1.0]), (1.9, 0.5, []), (2.0, 0.51, []), (3.9, 0.45, [1.0]), (3.9, 0.55, [])]
)
def test_a_small_change_between_stills_is_a_cut(change: float, motion: float, cuts: list[float]) -> None:
    assert find_cuts(build_sequence([*[motion] * 25, change, *[motion] * 50], [*[S1] * 25, S2])) == cuts


@pytest.mark.parametrize(("moving", "cuts"), [(7, [1.0]), (8, []), (24, []), (42, []), (43, [1.0])])
def test_stills_last_seven_tenths_of_a_second_on_either_side_of_a_slide(moving: int, cuts: list[float]) -> None:
    """Frames 8 and 42 are 0.68 s from the cut at frame 25, and frames 7 and 43 are 0.72 s from it."""
    changes = [0.0] * 75
    changes[25], changes[moving] = 3.0, 1.0
    assert find_cuts(build_sequence(changes, [*[S1] * 25, S2])) == cuts


def test_motion_exactly_seven_tenths_of_a_second_away_is_near() -> None:
    times = [0.0, *(0.02 + 0.04 * number for number in range(17)), 0.7, *(0.74 + 0.04 * number for number in range(50))]
    frames = [
        make_frame(time_s, change=1.0 * (time_s == 0) + 3.0 * (time_s == 0.7), miniature=S2 if time_s >= 0.7 else S1) for time_s in times
    ]
    assert find_cuts(frames) == []
    assert find_cuts(
        [make_frame(frame.time_s - 0.01 * (frame.time_s == 0), change=frame.change, miniature=frame.miniature) for frame in frames]
    ) == [0.7]


@pytest.mark.parametrize(("fps", "cuts"), [(1.25, []), (1.43, [7.0])])
def test_a_small_change_with_fewer_than_two_frames_nearby_is_not_a_slide(fps: float, cuts: list[float]) -> None:
    times_s = find_cuts(build_sequence([*[0.0] * 10, 3.0, *[0.0] * 10], [*[S1] * 10, S2], fps=fps))
    assert times_s == pytest.approx(cuts, abs=0.01)


def build_flash(frames: int) -> list[FrameFeatures]:
    """Build a second of a shot, so many frames of another, and the first one again."""
    changes = [*[0.0] * 25, 30.0, *[0.0] * (frames - 1), 30.0, *[0.0] * 50]
    return build_sequence(changes, [*[S1] * 25, *[S2] * frames, S1])


@pytest.mark.parametrize(("frames", "cuts"), [(1, []), (11, []), (12, [1.48]), (13, [1.0, 1.52]), (14, [1.0, 1.56])])
def test_an_image_that_returns_within_half_a_second_was_a_flash(frames: int, cuts: list[float]) -> None:
    """After 12 frames the end of the flash no longer sees the frame before it."""
    assert find_cuts(build_flash(frames)) == pytest.approx(cuts)


def test_a_return_after_exactly_half_a_second_counts() -> None:
    """Binary fractions make the times exact."""
    times = [number / 32 for number in range(128)]

    def build_shots(first: float) -> list[FrameFeatures]:
        return [
            make_frame(time_s, change=30.0 * (time_s in (first, 1.5)), miniature=S2 if first <= time_s < 1.5 else S1) for time_s in times
        ]

    # The start of the flash sees the return; its end does not see the frame before the flash.
    assert find_cuts(build_shots(1.0)) == [1.5]
    # It does if that frame is exactly half a second before.
    assert find_cuts(build_shots(1.0 + 1 / 32)) == []


@pytest.mark.parametrize("part", ["begin", "end"])
def test_a_flash_is_recognized_at_its_start_and_at_its_end(part: str) -> None:
    before, after = [make_frame(miniature=S1), make_frame(miniature=S2)], [make_frame(miniature=S2), make_frame(miniature=S1)]
    still = [make_frame(miniature=S2)] * 2
    assert is_flash([make_frame(miniature=S1)] * 2, after) if part == "begin" else is_flash(before, [make_frame(miniature=S1)] * 2)
    assert not is_flash([make_frame(miniature=S1)] * 2, still)


def make_texture(seed: int) -> GrayImage:
    blocks = np.random.default_rng(seed).integers(0, 256, (32, 32), dtype=np.uint8)
    return blocks.repeat(2, axis=0).repeat(2, axis=1)


def shift_image(image: GrayImage) -> GrayImage:
    return np.roll(image, (4, 6), axis=(0, 1))


def test_a_jolt_is_not_a_cut_whether_its_frame_is_sharp_or_blurred() -> None:
    still, sharp, other = [0.0] * 25, make_texture(1), make_texture(2)
    # The control: the images show different content.
    assert find_cuts(build_sequence([*still, 30.0, *still, *still], [*[S1] * 25, S2], [*[sharp] * 25, other])) == [1.0]
    # A sharp jolt between frames with other content: only the two frames at the jolt are similar.
    lumas = [*[make_texture(3)] * 24, sharp, shift_image(sharp), make_texture(4)]
    assert find_cuts(build_sequence([*still, 30.0, *still, *still], [*[S1] * 25, S2], lumas)) == []
    # A blurred jolt: only the frames before and after it are similar.
    lumas = [*[sharp] * 25, other, shift_image(sharp)]
    assert find_cuts(build_sequence([*still, 30.0, 30.0, *still, *still], [*[S1] * 25, make_shot(10), S2], lumas)) == []


def test_a_cut_is_certain_after_one_and_six_tenths_of_a_second() -> None:
    """At 3.6 s the cut is exactly that old."""
    finder = CutFinder()
    returned = {
        frame.time_s: cuts for frame in build_sequence([*[0.0] * 50, 30.0, *[0.0] * 100], [*[S1] * 50, S2]) if (cuts := finder.add(frame))
    }
    assert returned == {3.64: [2.0]}


def test_a_cut_waits_while_a_transition_after_it_is_open() -> None:
    """A blank stretch from 3 s to 5 s may become a fade that includes the cut."""
    finder = CutFinder()
    shots = build_sequence([*[0.0] * 50, 30.0, *[0.0] * 24], [*[S1] * 50, S2])
    black = [make_frame(number / 25, miniature=make_flat(0), contrast=0.0, brightness=0.0) for number in range(75, 125)]
    last = [make_frame(number / 25, miniature=make_shot(10)) for number in range(125, 250)]
    returned = {frame.time_s: cuts for frame in [*shots, *black, *last] if (cuts := finder.add(frame))}
    assert returned == {5.0: [2.0], 5.64: [4.0]}


def test_hard_cuts_inside_a_fade_are_part_of_it_and_others_are_not() -> None:
    def build_shots(cut_before: int) -> list[FrameFeatures]:
        """Build a cut so many frames before a black second at 3 s."""
        changes = [0.0] * 75
        changes[75 - cut_before] = 30.0
        shots = build_sequence(changes, [*[S1] * (75 - cut_before), S2])
        black = [make_frame(number / 25, miniature=make_flat(0), contrast=0.0, brightness=0.0) for number in range(75, 90)]
        return [*shots, *black, *[make_frame(number / 25, miniature=make_shot(10)) for number in range(90, 200)]]

    assert find_cuts(build_shots(14)) == pytest.approx([2.44, 3.3])
    assert find_cuts(build_shots(11)) == pytest.approx([3.3])


S3 = make_shot(10)


def make_noise(seed: int) -> GrayImage:
    """Build an image in which a camera move can be recognized."""
    image: GrayImage = np.random.default_rng(seed).integers(0, 256, (32, 32), dtype=np.uint8).repeat(2, axis=0).repeat(2, axis=1)
    return image


@pytest.mark.parametrize(("index", "expected"), [(1, []), (2, [0.08]), (7, [0.28]), (8, [])])
def test_a_cut_has_two_frames_on_either_side(index: int, expected: list[float]) -> None:
    """Ten frames: those without two others before and two after are not judged."""
    changes = [9.0 if number == index else 0.0 for number in range(10)]
    assert find_cuts(build_sequence(changes, [S1] * index + [S2])) == pytest.approx(expected)


def test_changes_beyond_two_frames_do_not_count() -> None:
    """The shots are too similar for the rule of motion, so the neighbors decide."""
    shots = [make_shot(0)] * 10 + [make_shot(8)] * 3 + [make_shot(16)]
    changes = [0.0] * 10 + [9.0, 0.0, 0.0, 100.0] + [0.0] * 10
    assert 0.4 in find_cuts(build_sequence(changes, shots))


def test_a_cut_from_motion_differs_from_the_frame_before() -> None:
    changes = [0.0] * 10 + [8.0] + [9.0] * 10
    assert find_cuts(build_sequence(changes, [S1] * 10 + [S2])) == [0.4]
    assert find_cuts(build_sequence(changes, [S1] * 9 + [S2])) == []


def test_a_flash_in_the_second_frame_is_no_cut() -> None:
    assert find_cuts(build_sequence([0.0, 9.0, 9.0, *[0.0] * 20], [S1, S2, S1])) == []


def test_a_flash_ends_with_any_image_before_it() -> None:
    """The flash follows a cut by less than half a second."""
    first, second, flash = (make_frame(miniature=shot) for shot in (S1, S3, S2))
    assert is_flash([first, second, flash], [second])
    assert not is_flash([first, flash], [second])


def time_frames(frames: Sequence[FrameFeatures], times: Sequence[float]) -> list[FrameFeatures]:
    return [replace(frame, time_s=time_s) for frame, time_s in zip(frames, times, strict=True)]


def test_after_a_pause_a_flash_is_compared_with_the_frame_before() -> None:
    times = [0.0, 1.0, 2.0, 3.0, *(4 + number / 25 for number in range(40))]
    changes = [0.0] * 4 + [9.0, 0.1] + [0.0] * 38
    flash = build_sequence(changes, [S1, S1, S3, S1, S2, S1])
    assert find_cuts(time_frames(flash, times)) == []
    moving = build_sequence([0.0] * 4 + [9.0, 0.1] + [0.0] * 38, [S1, S1, S1, S1, S2, make_shot(20, scale=49)])
    assert find_cuts(time_frames(moving, times)) == [4.0]


def test_a_jolt_that_blurs_two_frames_is_recognized_by_the_frames_beside_them() -> None:
    image = make_noise(1)
    lumas = [make_noise(2)] * 8 + [image, make_noise(3), make_noise(4), np.roll(image, 4, axis=1), make_noise(5)]
    changes = [0.0] * 10 + [9.0] + [0.0] * 20
    shots = [S1] * 10 + [S2]
    assert find_cuts(build_sequence(changes, shots, lumas)) == []
    lumas[11] = make_noise(6)
    assert find_cuts(build_sequence(changes, shots, lumas)) == [0.4]


@pytest.mark.parametrize(("times", "expected"), [((0, 1, 2, 3, 3.6, 5, 6, 7), []), ((0, 1, 2.4, 3, 3.6, 5, 6, 7), [3.0])])
def test_a_slide_has_two_still_frames_within_seven_tenths_of_a_second(times: tuple[float, ...], expected: list[float]) -> None:
    frames = build_sequence([0.0, 0.0, 0.0, 3.0, 0.0, 0.0, 0.0, 0.0], [S1, S1, S1, S2])
    assert find_cuts(time_frames(frames, times)) == expected


def test_a_gradual_cut_is_returned_after_its_time_and_covers_the_hard_cuts_until_its_end() -> None:
    finder = CutFinder()
    finder._gradual = [GradualCut(2.0, 1.0, 3.0)]
    assert finder._take_decided(2.0) == []
    assert finder._take_decided(2.1) == [2.0]
    finder._hard = [2.5]
    assert finder._take_decided(2.6) == []
    assert finder._take_decided(3.0) == []
    finder._hard = [3.0]
    assert finder._take_decided(3.5) == []
    finder._hard = [3.4]
    assert finder._take_decided(3.5) == [3.4]
