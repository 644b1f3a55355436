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


def content(start_s: float, end_s: float, *, mismatches: int = 0, **features: object) -> list[FrameFeatures]:
    return make_frames(list_times(start_s, end_s), miniature=make_shot(mismatches, mean=10), **features)


def black(start_s: float, end_s: float, *, contrast: float = 4.0, first_change: float = 1.0) -> list[FrameFeatures]:
    first, *others = list_times(start_s, end_s)
    features = {"miniature": make_flat(0), "brightness": 10.0, "contrast": contrast}
    return [*make_frames([first], change=first_change, **features), *make_frames(others, **features)]


def fade(before: float = 50.0, after: float = 50.0, blank: float = 4.0) -> list[FrameFeatures]:
    """Build two shots with a blank second between, from 2 s to 3 s, given the contrasts of all three."""
    return [*content(0, 2, contrast=before), *black(2, 3, contrast=blank), *content(3, 6, mismatches=20, contrast=after)]


def test_a_fade_is_cut_in_its_middle_and_takes_half_a_second_on_either_side() -> None:
    assert detect(fade()) == [GradualCut(2.5, 1.5, 3.5, through_blank=True)]


@pytest.mark.parametrize(("contrast", "found"), [(10.0, 1), (9.9, 0)])
@pytest.mark.parametrize("side", ["before", "after"])
def test_the_shots_of_a_fade_have_some_times_the_contrast_of_the_blank(contrast: float, found: int, side: str) -> None:
    assert len(detect(fade(**{side: contrast}))) == found


@pytest.mark.parametrize(("contrast", "found"), [(2.5, 1), (2.4, 0)])
def test_a_blank_without_any_contrast_counts_as_one_of_contrast_one(contrast: float, found: int) -> None:
    assert len(detect(fade(before=contrast, blank=0.0))) == found


def test_the_least_contrast_of_the_blank_counts() -> None:
    frames = [*content(0, 2, contrast=10), *black(2, 2.5, contrast=7), *black(2.5, 3), *content(3, 6, mismatches=20)]
    assert len(detect(frames)) == 1


@pytest.mark.parametrize(("dim_s", "found"), [(1.4, 1), (1.48, 1), (1.56, 0), (1.6, 0)])
def test_a_shot_fades_out_within_one_and_a_half_seconds(dim_s: float, found: int) -> None:
    frames = [*content(0, 2), *content(2, 2 + dim_s, contrast=9), *black(2 + dim_s, 4), *content(4, 6, mismatches=20)]
    assert len(detect(frames)) == found


def test_a_frame_exactly_one_and_a_half_seconds_before_the_fade_counts() -> None:
    times = [0.0, *(0.04 * number for number in range(1, 37)), 1.5]
    frames = [make_frame(time_s, miniature=make_shot(0), contrast=50 if time_s == 0 else 9) for time_s in times]
    assert len(detect([*frames, *black(1.56, 2), *content(2, 3, mismatches=20)])) == 1


@pytest.mark.parametrize(("dim_s", "found"), [(1.4, 1), (1.6, 0)])
def test_a_shot_fades_in_within_one_and_a_half_seconds(dim_s: float, found: int) -> None:
    dim = content(3, 3 + dim_s, mismatches=20, contrast=9)
    frames = [*content(0, 2), *black(2, 3), *dim, *content(3 + dim_s, 6, mismatches=20)]
    assert len(detect(frames)) == found


def test_a_dim_frame_exactly_one_and_a_half_seconds_after_the_blank_does_not_end_the_fade() -> None:
    dim = [make_frame(time_s, miniature=make_shot(20), contrast=9) for time_s in (3.0, 4.0, 4.5)]
    assert len(detect([*content(0, 2), *black(2, 3), *dim, *content(4.52, 5, mismatches=20)])) == 1


@pytest.mark.parametrize(
    ("first_change", "change_before", "is_fade"),
    [(6.0, 2.0, False), (5.9, 1.0, True), (6.0, 2.1, True), (9.0, 3.0, False), (9.0, 3.1, True)],
)
def test_a_dark_second_between_two_cuts_is_no_fade(first_change: float, change_before: float, is_fade: bool) -> None:
    frames = [*content(0, 2, change=change_before), *black(2, 3.2, first_change=first_change), *content(3.2, 5, mismatches=20)]
    assert len(detect(frames)) == is_fade


@pytest.mark.parametrize(("end_s", "is_fade"), [(2.96, True), (3.0, False)])
def test_a_shorter_blank_between_two_cuts_is_cut_once(end_s: float, is_fade: bool) -> None:
    frames = [*content(0, 2), *black(2, end_s, first_change=20), *content(end_s, 5, mismatches=20)]
    assert len(detect(frames)) == is_fade


@pytest.mark.parametrize(
    ("end_s", "cuts"),
    # The last blank frame comes 0.04 s before.
    [(4.6, [3.3]), (5.0, [3.5]), (5.04, [2.0, 5.04]), (6.0, [2.0, 6.0])],
)
def test_a_blank_of_three_seconds_is_a_scene_of_its_own(end_s: float, cuts: list[float]) -> None:
    frames = [*content(0, 2), *black(2, end_s), *content(end_s, 8, mismatches=20)]
    assert [cut.time_s for cut in detect(frames)] == pytest.approx(cuts)


def test_a_long_dark_shot_is_no_scene_between_fades() -> None:
    assert detect([*content(0, 2, contrast=9.9), *black(2, 6), *content(6, 9, mismatches=20)]) == []


@pytest.mark.parametrize(("mismatches", "found"), [(4, 0), (6, 1), (20, 1)], ids=["0.8", "0.7", "0.0"])
def test_the_same_shot_before_and_after_is_a_blink(mismatches: int, found: int) -> None:
    assert len(detect([*content(0, 2), *black(2, 3), *content(3, 5, mismatches=mismatches)])) == found


def test_bright_shots_that_return_after_a_black_flash_are_a_blink_whatever_their_correlation() -> None:
    shots = [
        make_frames(list_times(start, start + 2), miniature=make_shot(mismatches, scale=9, mean=200))
        for start, mismatches in ((0, 0), (3, 20))
    ]
    assert detect([*shots[0], *black(2, 3), *shots[1]]) == []


@pytest.mark.parametrize(
    "frames",
    [
        pytest.param([*black(0, 2), *content(2, 5)], id="at the beginning"),
        pytest.param([*black(0, 5), *content(5, 7)], id="long, at the beginning"),
        pytest.param([*content(0, 2), *black(2, 3)], id="at the end"),
    ],
)
def test_black_at_either_end_of_a_video_is_no_fade(frames: list[FrameFeatures]) -> None:
    assert detect(frames) == []


def test_a_fade_is_open_while_it_may_become_one() -> None:
    detector = FadeDetector()
    open_since = []
    for frame in [*content(0, 2), *black(2, 6), *content(6, 8, mismatches=20)]:
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
    assert detect(content(0, 3)) == []
