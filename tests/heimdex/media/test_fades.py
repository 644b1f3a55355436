"""Fades and blank stretches at the exact thresholds, on synthetic frames."""

import itertools
from collections.abc import Iterable

import pytest

from heimdex.media.fades import FadeDetector, GradualCut, is_blank
from heimdex.media.frames import FrameFeatures
from tests.heimdex.media.synthetic import list_times, make_flat, make_frame, make_frames, make_shot


def detect(frames: Iterable[FrameFeatures]) -> list[GradualCut]:
    detector = FadeDetector()
    return [cut for frame in frames if (cut := detector.add(frame))]


@pytest.mark.parametrize(
    ("contrast", "brightness", "expected"),
    [(8.0, 0, True), (8.1, 0, False), (0, 40.0, True), (0, 40.1, False), (0, 215.0, True), (0, 214.9, False), (0, 120, False)],
)
def test_a_blank_frame_is_black_or_white_without_contrast(contrast: float, brightness: float, expected: bool) -> None:
    assert is_blank(make_frame(contrast=contrast, brightness=brightness)) is expected


def make_content(start_s: float, end_s: float, *, mismatches: int = 0, **features: object) -> list[FrameFeatures]:
    return make_frames(list_times(start_s, end_s), miniature=make_shot(mismatches, mean=10), **features)


def make_black(start_s: float, end_s: float, *, contrast: float = 4.0, first_change: float = 1.0) -> list[FrameFeatures]:
    first, *others = list_times(start_s, end_s)
    features = {"miniature": make_flat(0), "brightness": 10.0, "contrast": contrast}
    return [*make_frames([first], change=first_change, **features), *make_frames(others, **features)]


def make_fade(before: float = 50.0, after: float = 50.0, blank: float = 4.0) -> list[FrameFeatures]:
    """Build two shots with a blank second between, from 2 s to 3 s, given the contrasts of all three."""
    return [*make_content(0, 2, contrast=before), *make_black(2, 3, contrast=blank), *make_content(3, 6, mismatches=20, contrast=after)]


def test_a_fade_is_cut_in_its_middle_and_extends_half_a_second_to_each_side() -> None:
    assert detect(make_fade()) == [GradualCut(2.5, 1.5, 3.5, through_blank=True)]


@pytest.mark.parametrize(("contrast", "count"), [(10.0, 1), (9.9, 0)])
@pytest.mark.parametrize("side", ["before", "after"])
def test_the_shots_beside_a_fade_have_a_multiple_of_the_blanks_contrast(contrast: float, count: int, side: str) -> None:
    assert len(detect(make_fade(**{side: contrast}))) == count


@pytest.mark.parametrize(("contrast", "count"), [(2.5, 1), (2.4, 0)])
def test_a_blank_without_contrast_counts_as_contrast_one(contrast: float, count: int) -> None:
    assert len(detect(make_fade(before=contrast, blank=0.0))) == count


def test_the_lowest_contrast_of_the_blank_counts() -> None:
    frames = [*make_content(0, 2, contrast=10), *make_black(2, 2.5, contrast=7), *make_black(2.5, 3), *make_content(3, 6, mismatches=20)]
    assert len(detect(frames)) == 1


@pytest.mark.parametrize(("dim_s", "count"), [(1.4, 1), (1.48, 1), (1.56, 0), (1.6, 0)])
def test_a_shot_fades_out_within_one_and_a_half_seconds(dim_s: float, count: int) -> None:
    frames = [*make_content(0, 2), *make_content(2, 2 + dim_s, contrast=9), *make_black(2 + dim_s, 4), *make_content(4, 6, mismatches=20)]
    assert len(detect(frames)) == count


def test_a_frame_exactly_one_and_a_half_seconds_before_the_fade_counts() -> None:
    times = [0.0, *(0.04 * number for number in range(1, 37)), 1.5]
    frames = [make_frame(time_s, miniature=make_shot(0), contrast=50 if time_s == 0 else 9) for time_s in times]
    assert len(detect([*frames, *make_black(1.56, 2), *make_content(2, 3, mismatches=20)])) == 1


@pytest.mark.parametrize(("dim_s", "count"), [(1.4, 1), (1.6, 0)])
def test_a_shot_fades_in_within_one_and_a_half_seconds(dim_s: float, count: int) -> None:
    dim = make_content(3, 3 + dim_s, mismatches=20, contrast=9)
    frames = [*make_content(0, 2), *make_black(2, 3), *dim, *make_content(3 + dim_s, 6, mismatches=20)]
    assert len(detect(frames)) == count


def test_a_dim_frame_exactly_one_and_a_half_seconds_after_the_blank_does_not_end_the_fade() -> None:
    dim = [make_frame(time_s, miniature=make_shot(20), contrast=9) for time_s in (3.0, 4.0, 4.5)]
    assert len(detect([*make_content(0, 2), *make_black(2, 3), *dim, *make_content(4.52, 5, mismatches=20)])) == 1


@pytest.mark.parametrize(
    ("first_change", "change_before", "is_fade"),
    [(6.0, 2.0, False), (5.9, 1.0, True), (6.0, 2.1, True), (9.0, 3.0, False), (9.0, 3.1, True)],
)
def test_a_dark_second_between_two_cuts_is_not_a_fade(first_change: float, change_before: float, is_fade: bool) -> None:
    frames = [
        *make_content(0, 2, change=change_before),
        *make_black(2, 3.2, first_change=first_change),
        *make_content(3.2, 5, mismatches=20),
    ]
    assert len(detect(frames)) == is_fade


@pytest.mark.parametrize(("end_s", "is_fade"), [(2.96, True), (3.0, False)])
def test_a_shorter_blank_between_two_cuts_is_cut_once(end_s: float, is_fade: bool) -> None:
    frames = [*make_content(0, 2), *make_black(2, end_s, first_change=20), *make_content(end_s, 5, mismatches=20)]
    assert len(detect(frames)) == is_fade


@pytest.mark.parametrize(
    ("end_s", "cuts"),
    # The last blank frame comes 0.04 s before.
    [(4.6, [3.3]), (5.0, [3.5]), (5.04, [2.0, 5.04]), (6.0, [2.0, 6.0])],
)
def test_a_blank_of_three_seconds_is_a_scene(end_s: float, cuts: list[float]) -> None:
    frames = [*make_content(0, 2), *make_black(2, end_s), *make_content(end_s, 8, mismatches=20)]
    assert [cut.time_s for cut in detect(frames)] == pytest.approx(cuts)


def test_a_long_dark_shot_is_not_a_scene_between_fades() -> None:
    assert detect([*make_content(0, 2, contrast=9.9), *make_black(2, 6), *make_content(6, 9, mismatches=20)]) == []


@pytest.mark.parametrize(("mismatches", "count"), [(4, 0), (6, 1), (20, 1)], ids=["0.8", "0.7", "0.0"])
def test_the_same_shot_before_and_after_is_a_blink(mismatches: int, count: int) -> None:
    assert len(detect([*make_content(0, 2), *make_black(2, 3), *make_content(3, 5, mismatches=mismatches)])) == count


def test_bright_shots_that_return_after_a_black_flash_are_a_blink_whatever_their_correlation() -> None:
    shots = [
        make_frames(list_times(start, start + 2), miniature=make_shot(mismatches, scale=9, mean=200))
        for start, mismatches in ((0, 0), (3, 20))
    ]
    assert detect([*shots[0], *make_black(2, 3), *shots[1]]) == []


@pytest.mark.parametrize(
    "frames",
    [
        pytest.param([*make_black(0, 2), *make_content(2, 5)], id="at the beginning"),
        pytest.param([*make_black(0, 5), *make_content(5, 7)], id="long, at the beginning"),
        pytest.param([*make_content(0, 2), *make_black(2, 3)], id="at the end"),
    ],
)
def test_black_at_the_ends_of_a_video_is_not_a_fade(frames: list[FrameFeatures]) -> None:
    assert detect(frames) == []


def test_a_fade_is_open_while_it_may_become_one() -> None:
    detector = FadeDetector()
    open_since = []
    for frame in [*make_content(0, 2), *make_black(2, 6), *make_content(6, 8, mismatches=20)]:
        detector.add(frame)
        open_since.append(detector.open_since)
    # It is a long blank from 5 s on.
    assert [since for since, _ in itertools.groupby(open_since)] == [None, 2.0, None]
    assert open_since.count(2.0) == 75


@pytest.mark.parametrize(
    ("times", "overlaps"),
    [((1.0, 2.0, 2.0, 3.0), True), ((1.0, 1.9, 2.0, 3.0), False), ((2.0, 3.0, 1.0, 2.0), True), ((1.0, 4.0, 2.0, 3.0), True)],
)
def test_transitions_that_touch_overlap(times: tuple[float, float, float, float], overlaps: bool) -> None:
    first, second = GradualCut(0, *times[:2]), GradualCut(0, *times[2:])
    assert first.overlaps(second) is second.overlaps(first) is overlaps


def test_one_shot_has_no_fade() -> None:
    assert detect(make_content(0, 3)) == []


def test_a_gradual_cut_is_a_dissolve_unless_it_is_a_fade() -> None:
    assert not GradualCut(2.0, 1.0, 3.0).through_blank
