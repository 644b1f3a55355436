"""No scene is too short or too long, and long takes are split where they are calm."""

import itertools

import pytest

from heimdex.media.scene_lengths import SceneLengthLimiter


def list_boundaries(
    duration_s: float, cuts: list[float], *, longest_s: float = 60.0, busy: tuple[float, float] = (0.0, 0.0)
) -> list[float]:
    """Add ten frames per second with motion from `busy[0]` to `busy[1]`, and report each cut two seconds late."""
    lengths = SceneLengthLimiter(longest_s)
    expected = []
    left = list(cuts)
    for frame in range(round(duration_s * 10)):
        time_s = frame / 10
        due = [cut for cut in left if time_s - cut >= 2]
        left = left[len(due) :]
        expected += lengths.add(time_s, 9.0 if busy[0] <= time_s < busy[1] else 0.5, due)
    return expected + lengths.finish(duration_s, left)


def test_the_first_of_cuts_close_together_counts() -> None:
    assert list_boundaries(30, [0.5, 5.0, 5.9, 6.0, 20.0]) == [5.0, 6.0, 20.0]


def test_the_last_scene_is_not_shorter_than_a_second() -> None:
    assert list_boundaries(30, [10.0, 29.2]) == [10.0]
    assert list_boundaries(30, [10.0, 29.0]) == [10.0, 29.0]


def test_a_long_take_is_split_at_its_calmest_moment() -> None:
    (expected,) = list_boundaries(90, [], busy=(38, 90))
    assert 36 <= expected <= 38


def test_an_hour_without_motion_is_split_as_rarely_as_possible() -> None:
    expected = list_boundaries(3600, [])
    edges = [0.0, *expected, 3600.0]
    lengths = [end - begin for begin, end in itertools.pairwise(edges)]
    assert max(lengths) <= 60.0
    assert min(lengths) >= 1.0
    assert len(lengths) == pytest.approx(60, abs=3)


def test_a_split_leaves_no_short_scene_before_the_next_cut_or_the_end() -> None:
    for cut in (60.1, 60.6, 61.5):
        expected = list_boundaries(cut + 20, [cut])
        assert cut in expected
        assert all(after - before >= 1.0 for before, after in itertools.pairwise([0.0, *expected]))
    (found_before_end,) = list_boundaries(60.4, [])
    assert found_before_end <= 59.5


def add_frames(limiter: SceneLengthLimiter, times: list[float], moving: dict[float, float] | None = None) -> dict[float, list[float]]:
    """Add frames with a change of 1, or another one, and return the boundaries by the time of the frame that made them certain."""
    added = {time_s: limiter.add(time_s, (moving or {}).get(time_s, 1.0), []) for time_s in times}
    return {time_s: boundaries for time_s, boundaries in added.items() if boundaries}


@pytest.mark.parametrize(("cut", "expected"), [(0.98, [0.98]), (0.97, []), (0.9, []), (1.1, [1.1])])
def test_a_scene_lasts_a_second_except_for_rounding(cut: float, expected: list[float]) -> None:
    assert SceneLengthLimiter().add(5.0, 0.0, [cut]) == expected


@pytest.mark.parametrize(("cut", "expected"), [(9.02, [9.02]), (9.03, []), (9.15, []), (8.9, [8.9])])
def test_the_last_scene_lasts_a_second_except_for_rounding(cut: float, expected: list[float]) -> None:
    assert SceneLengthLimiter().finish(10.0, [cut]) == expected


def test_the_rounding_of_times_is_two_hundredths_of_a_second() -> None:
    """A fifth of it lies between these values."""
    assert [SceneLengthLimiter().add(5.0, 0.0, [cut]) for cut in (0.9785, 0.982)] == [[], [0.982]]
    assert [SceneLengthLimiter().add(5.0, 0.0, [cut]) for cut in (0.9775, 0.9805)] == [[], [0.9805]]
    assert [SceneLengthLimiter(8.0).finish(end_s, []) for end_s in (8.019, 8.023)] == [[], [pytest.approx(7.023)]]


@pytest.mark.parametrize(("end_s", "expected"), [(119.0, []), (120.0, []), (121.0, [120.0]), (125.0, [120.0])])
def test_a_take_of_two_minutes_is_split(end_s: float, expected: list[float]) -> None:
    limiter = SceneLengthLimiter()
    assert add_frames(limiter, [float(second) for second in range(int(end_s))]) == {}
    assert limiter.finish(end_s, []) == expected


@pytest.mark.parametrize(("longest_s", "expected"), [(1.0, [4.0]), (3.9, [4.0]), (5.0, [5.0])])
def test_the_limit_is_at_least_four_seconds(longest_s: float, expected: list[float]) -> None:
    limiter = SceneLengthLimiter(longest_s)
    add_frames(limiter, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    assert limiter.finish(7.0, []) == expected


def test_a_split_is_certain_six_seconds_later() -> None:
    """A cut before it may still become known. It leaves a second until the time up to which all cuts are known."""
    times = [number / 4 for number in range(60)]
    assert add_frames(SceneLengthLimiter(8.0), times) == {14.25: [7.0]}


def test_a_split_is_at_the_least_motion_in_the_second_half() -> None:
    """The last of equally calm stretches counts."""
    times = [float(second) for second in range(20)]
    assert add_frames(SceneLengthLimiter(8.0), times, {3.0: 0.0, 9.0: 0.0, 5.0: 0.5})[15.0] == [5.0]
    assert add_frames(SceneLengthLimiter(8.0), times, {3.0: 0.0, 4.0: 0.5})[15.0] == [4.0]
    assert add_frames(SceneLengthLimiter(8.0), times, {8.0: 0.5})[15.0] == [8.0]


@pytest.mark.parametrize(("spacing_s", "frames"), [(0.45, 3), (0.55, 2), (1.0, 1), (1.1, 1)])
def test_motion_is_measured_over_stretches_of_a_second(spacing_s: float, frames: int) -> None:
    """A split is at the start of a stretch, and every stretch has the same number of frames."""
    times = [number * spacing_s for number in range(round(40 / spacing_s))]
    splits = [split for boundaries in add_frames(SceneLengthLimiter(10.0), times).values() for split in boundaries]
    assert len(splits) >= 2
    assert [round(split / spacing_s) % frames for split in splits] == [0] * len(splits)
    assert round(splits[0] / spacing_s) + frames > (10.0 - 1.5) / spacing_s


def test_the_largest_motion_in_a_stretch_counts() -> None:
    times = [number / 2 for number in range(40)]
    assert add_frames(SceneLengthLimiter(8.0), times, {8.5: 9.0, 7.5: 9.0})[14.5] == [6.0]
    assert add_frames(SceneLengthLimiter(8.0), times, {8.5: 9.0, 7.0: 9.0})[14.5] == [6.0]
    assert add_frames(SceneLengthLimiter(8.0), times)[14.5] == [7.0]


def test_a_split_leaves_a_second_before_the_end() -> None:
    limiter = SceneLengthLimiter(8.0)
    add_frames(limiter, [float(second) for second in range(8)])
    assert limiter.finish(8.5, []) == [7.0]
    assert SceneLengthLimiter(8.0).finish(8.5, []) == [7.5]


def test_a_take_of_the_longest_duration_is_not_split() -> None:
    assert SceneLengthLimiter(8.0).finish(8.0 + 0.02, []) == []


def test_the_limiter_remembers_only_the_current_scene() -> None:
    limiter = SceneLengthLimiter(8.0)
    add_frames(limiter, [float(second) for second in range(1000)])
    assert len(limiter._stretches) < 20
