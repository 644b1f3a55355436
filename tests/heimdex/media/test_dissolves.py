"""Dissolves at the exact thresholds, on synthetic frames."""

from collections.abc import Iterable, Sequence

import numpy as np
import pytest

from heimdex.media import dissolves
from heimdex.media.dissolves import TICK_S, DissolveDetector, DissolveThresholds, is_mixture
from heimdex.media.fades import GradualCut
from heimdex.media.frames import FrameFeatures
from tests.heimdex.media.synthetic import LENGTH, Miniature, list_times, make_flat, make_frame, make_shot

# Fine enough that ticks lie exactly 0.08 s apart.
FPS = 125
# Orthogonal to every shot and to a flat miniature, with a root mean square of 1.
RESIDUAL = np.array([1.0, 1.0, -1.0, -1.0] * (LENGTH // 4))


def make_mixtures(
    first: Miniature, last: Miniature, shares: Sequence[float] = (0.25, 0.5, 0.75), residual: float = 0.0
) -> list[FrameFeatures]:
    """Build five frames: the ends, and mixtures that differ from the exact ones by `residual`, a share of the distance of the ends."""
    distance = float(np.sqrt(np.mean((last - first) ** 2)))
    between = [first + share * (last - first) + residual * distance * RESIDUAL for share in shares]
    return [make_frame(miniature=np.asarray(miniature, np.float32)) for miniature in (first, *between, last)]


def make_ends(correlation: float, scale: float = 50.0) -> tuple[Miniature, Miniature]:
    return make_shot(0, scale=scale), make_shot(round((1 - correlation) * LENGTH / 2), scale=scale)


@pytest.mark.parametrize(
    ("distance", "residual", "expected"),
    [(14.0, 0.15, True), (13.9, 0.15, False), (6.0, 0.05, True), (5.9, 0.05, False)],
    ids=["motion", "motion, too near", "stills", "stills, too near"],
)
def test_the_ends_of_a_dissolve_differ_enough(distance: float, residual: float, expected: bool) -> None:
    assert is_mixture(make_mixtures(make_flat(0), make_shot(0, scale=distance, mean=0), residual=residual)) is expected


@pytest.mark.parametrize(
    ("correlation", "residual", "expected"), [(0.6, 0.15, True), (0.7, 0.15, False), (0.8, 0.05, True), (0.9, 0.05, False)]
)
def test_the_ends_of_a_dissolve_show_different_content(correlation: float, residual: float, expected: bool) -> None:
    assert is_mixture(make_mixtures(*make_ends(correlation), residual=residual)) is expected


@pytest.mark.parametrize(
    ("correlation", "residual", "expected"), [(0.0, 0.21, True), (0.0, 0.23, False), (0.7, 0.075, True), (0.7, 0.085, False)]
)
def test_intermediate_frames_are_close_to_the_mixture_of_the_ends(correlation: float, residual: float, expected: bool) -> None:
    assert is_mixture(make_mixtures(*make_ends(correlation), residual=residual)) is expected


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ((0.055, 0.5, 0.9), True),
        ((0.045, 0.5, 0.9), False),
        ((0.1, 0.5, 0.945), True),
        ((0.1, 0.5, 0.955), False),
        ((0.445, 0.5, 0.9), True),
        ((0.455, 0.5, 0.9), False),
        ((0.1, 0.5, 0.555), True),
        ((0.1, 0.5, 0.545), False),
        ((0.1, 0.31, 0.9), True),
        ((0.1, 0.29, 0.9), False),
        ((0.1, 0.69, 0.9), True),
        ((0.1, 0.71, 0.9), False),
        ((0.75, 0.5, 0.25), False),
    ],
)
def test_the_shares_of_the_second_end_rise_evenly(shares: tuple[float, float, float], expected: bool) -> None:
    assert is_mixture(make_mixtures(*make_ends(0.0), shares)) is expected


def test_values_at_the_thresholds_of_a_dissolve_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Powers of two make every quantity exact."""
    monkeypatch.setattr(dissolves, "DISSOLVE_THRESHOLDS", (DissolveThresholds(64.0, 0.0, 0.25),))
    monkeypatch.setattr(dissolves, "_MIN_DISTANCE", 64.0)
    monkeypatch.setattr(dissolves, "MIN_SHARE_STEP", 0.125)
    monkeypatch.setattr(dissolves, "MIN_MIDDLE_SHARE", 0.25)
    monkeypatch.setattr(dissolves, "MAX_MIDDLE_SHARE", 0.75)
    # The ends are uncorrelated and 64 apart, since half of their values differ by twice the scale.
    flat, shot = make_flat(0), make_shot(0, scale=64, mean=0)
    assert is_mixture(make_mixtures(flat, shot, (0.125, 0.25, 0.875), 0.25))
    assert is_mixture(make_mixtures(flat, shot, (0.125, 0.75, 0.875), 0.25))
    assert is_mixture(make_mixtures(flat, shot, (0.25, 0.375, 0.5), 0.25))
    for name, moved in (("MIN_SHARE_STEP", 0.1251), ("MIN_MIDDLE_SHARE", 0.251)):
        with monkeypatch.context() as patch:
            patch.setattr(dissolves, name, moved)
            assert not is_mixture(make_mixtures(flat, shot, (0.125, 0.25, 0.875), 0.25))


def make_dissolve(duration_s: float, *, motion: float = 0.0, times: Iterable[float] | None = None) -> list[FrameFeatures]:
    """Build stills of three seconds with a linear dissolve between. `motion` is a share of the distance of its ends."""
    first, last = make_ends(0.0)
    chance = np.random.default_rng(1)
    frames = []
    for time_s in times or list_times(0, 6 + duration_s, FPS):
        share = min(1.0, max(0.0, (time_s - 3) / duration_s))
        moved = motion * 50 * np.sqrt(2) * chance.normal(size=LENGTH)
        frames.append(make_frame(time_s, miniature=np.asarray(first + share * (last - first) + moved, np.float32)))
    return frames


def detect(detector: DissolveDetector, frames: Iterable[FrameFeatures]) -> list[GradualCut]:
    cuts = [cut for frame in frames if (cut := detector.add(frame))]
    last = detector.close()
    return [*cuts, last] if last else cuts


@pytest.mark.parametrize(("duration_s", "count"), [(0.3, 0), (0.4, 1), (1.0, 1), (2.0, 1), (5.0, 1), (6.2, 0)])
def test_dissolves_of_a_third_of_a_second_to_some_seconds_are_detected(duration_s: float, count: int) -> None:
    cuts = detect(DissolveDetector(), make_dissolve(duration_s))
    assert len(cuts) == count
    for cut in cuts:
        assert cut.time_s == pytest.approx(3 + duration_s / 2, abs=0.08)
        assert cut.start_s < cut.time_s < cut.end_s


def test_a_dissolve_between_two_cuts_is_detected_with_the_reach_that_fits() -> None:
    """It lasts 1.5 seconds. The longest reach includes the shots beyond the cuts, and in the shortest motion outweighs the change."""
    shots = [make_shot(20, mean=40), make_shot(20, scale=20, mean=200)]
    frames = make_dissolve(1.5, motion=0.1)
    for index, frame in enumerate(frames):
        if not 3 <= frame.time_s <= 4.5:
            frames[index] = make_frame(frame.time_s, miniature=np.roll(shots[frame.time_s > 4], 1))
    (cut,) = detect(DissolveDetector(), frames)
    # It starts at the first possible middle of 16 ticks, minus four ticks.
    assert cut.start_s == pytest.approx(3 + 8 * 0.08 - 4 * 0.08, abs=0.08)
    assert cut.end_s == pytest.approx(4.5 - 8 * 0.08 + 4 * 0.08, abs=0.08)


@pytest.mark.parametrize(("spacing_s", "count"), [(0.079, 1), (0.15, 1), (0.17, 0)])
def test_a_low_frame_rate_is_too_sparse_for_a_dissolve(spacing_s: float, count: int) -> None:
    duration_s = 0.45 if spacing_s < 0.1 else 1.5
    times = [number * spacing_s for number in range(round(7 / spacing_s))]
    assert len(detect(DissolveDetector(), make_dissolve(duration_s, times=times))) == count


class ScriptedDetector(DissolveDetector):
    """Treat given ticks as the middle of a dissolve."""

    def __init__(self, middles: Iterable[int]) -> None:
        super().__init__()
        self._middles = set(middles)

    def _is_dissolve_at(self, middle: int, reach: int) -> bool:
        return round(self._ticks[middle].time_s * 1000) in self._middles


@pytest.mark.parametrize(("spacing_ms", "gap", "count"), [(90, 5, 1), (90, 6, 2), (100, 5, 1), (100, 6, 2)])
def test_candidates_close_together_belong_to_one_dissolve(spacing_ms: int, gap: int, count: int) -> None:
    """At 100 ms the tick before the fifth is exactly 0.4 s away."""
    detector = ScriptedDetector([0, gap * spacing_ms])
    frames = [make_frame(number * spacing_ms / 1000) for number in range(-10, 40)]
    assert len(detect(detector, frames)) == count


def test_a_dissolve_is_open_until_its_end_is_known() -> None:
    detector = DissolveDetector()
    assert detector.open_since is None
    for frame in make_dissolve(1.0)[: FPS * 5]:
        detector.add(frame)
    assert detector.open_since == pytest.approx(3.3, abs=0.3)
    assert detector.close() is not None
    assert detector.open_since is None
    assert detector.close() is None


def test_a_camera_move_is_not_a_dissolve() -> None:
    texture = np.random.default_rng(1).integers(0, 256, (32, 32), dtype=np.uint8).repeat(2, axis=0).repeat(2, axis=1)
    frames = [
        make_frame(frame.time_s, miniature=frame.miniature, luma=np.roll(texture, 4 * (frame.time_s > 3.5), axis=1))
        for frame in make_dissolve(1.0)
    ]
    assert detect(DissolveDetector(), frames) == []


@pytest.mark.parametrize("blank", ["first", "last"])
def test_a_fade_is_not_a_dissolve(blank: str) -> None:
    frames = []
    for frame in make_dissolve(1.0):
        is_blank_end = frame.time_s < 3.8 if blank == "first" else frame.time_s > 3.2
        frames.append(make_frame(frame.time_s, miniature=frame.miniature, brightness=0.0, contrast=0.0 if is_blank_end else 50.0))
    assert detect(DissolveDetector(), frames) == []


def test_a_still_has_no_dissolve() -> None:
    assert detect(DissolveDetector(), [make_frame(time_s) for time_s in list_times(0, 3, FPS)]) == []


def make_ticks(spacing_s: float, ticks: int = 25, blank: int | None = None) -> DissolveDetector:
    """Build a detector that has seen a linear dissolve of some ticks, of which one may be blank."""
    first, last = make_ends(0.0)
    detector = DissolveDetector()
    for number in range(ticks):
        miniature = np.asarray(first + number / (ticks - 1) * (last - first), np.float32)
        dark = {"brightness": 0.0, "contrast": 0.0} if number == blank else {}
        detector._ticks.append(make_frame(number * spacing_s, miniature=miniature, **dark))
    return detector


@pytest.mark.parametrize(("blank", "expected"), [(None, True), (0, False), (6, True), (18, True), (24, False)])
def test_only_blank_ends_exclude_a_dissolve(blank: int | None, expected: bool) -> None:
    assert make_ticks(0.08, blank=blank)._is_dissolve_at(12, 12) is expected


@pytest.mark.parametrize(("spacing_s", "expected"), [(0.16, True), (0.1601, False)])
def test_ticks_twice_as_far_apart_are_dense_enough(spacing_s: float, expected: bool) -> None:
    assert make_ticks(spacing_s, ticks=9)._is_dissolve_at(4, 4) is expected


def test_a_frame_slightly_before_its_time_is_a_tick() -> None:
    """Times in files are rounded, so five percent of a tick may be missing."""
    detector = DissolveDetector()
    for time_s in (0.0, 0.0759, TICK_S * 0.95):
        detector.add(make_frame(time_s))
    assert [frame.time_s for frame in detector._ticks] == [0.0, TICK_S * 0.95]


class RecordingDetector(DissolveDetector):
    """Record where a dissolve is looked for, and detect none."""

    def __init__(self) -> None:
        super().__init__()
        self.reaches_by_middle: dict[int, list[int]] = {}

    def _is_dissolve_at(self, middle: int, reach: int) -> bool:
        self.reaches_by_middle.setdefault(middle, []).append(reach)
        return False


def test_every_reach_that_fits_is_tried_from_the_fifth_tick_on() -> None:
    detector = RecordingDetector()
    for number in range(16):
        detector.add(make_frame(number * 0.08))
    assert detector.reaches_by_middle == {}
    for number in range(16, 100):
        detector.add(make_frame(number * 0.08))
    assert [detector.reaches_by_middle[middle][:3] for middle in (4, 7, 8, 11, 12)] == [[4], [4], [4, 8], [4, 8], [4, 8, 12]]
    assert len(detector._ticks) == 25


def test_a_dissolve_between_two_images_is_no_camera_move() -> None:
    before, after = np.random.default_rng(1).integers(0, 256, (2, 32, 32), dtype=np.uint8).repeat(2, axis=1).repeat(2, axis=2)
    detector = ScriptedDetector([800])
    frames = [make_frame(number * 0.08, luma=before if number < 10 else after) for number in range(40)]
    assert len(detect(detector, frames)) == 1
