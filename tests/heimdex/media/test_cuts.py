"""The rule for cuts, on small synthetic images: no file, no decoder."""

import itertools
from collections.abc import Iterable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from heimdex.media.cuts import CutFinder
from heimdex.media.frames import FeatureExtractor, FrameFeatures, SmallFrame

FPS = 25
Picture = NDArray[np.uint8]


def scenery(seed: int) -> Picture:
    """Make a picture of 144 × 256 with large and small shapes."""
    random = np.random.default_rng(seed)
    coarse = np.kron(random.integers(20, 236, (6, 8)), np.ones((24, 32)))
    fine = np.kron(random.integers(-20, 21, (36, 64)), np.ones((4, 4)))
    return np.clip(coarse + fine, 0, 255).astype(np.uint8)


def still(seed: int, frames: int) -> list[Picture]:
    return [scenery(seed)] * frames


def panning(seed: int, frames: int, step: int) -> list[Picture]:
    return [np.roll(scenery(seed), step * number, axis=1) for number in range(frames)]


def mixed(old: Picture, new: Picture, share: float) -> Picture:
    return np.asarray(old * (1 - share) + new * share, dtype=np.uint8)


def dissolve(old: Picture, new: Picture, frames: int) -> list[Picture]:
    return [mixed(old, new, (number + 1) / (frames + 1)) for number in range(frames)]


def blank(value: int, frames: int) -> list[Picture]:
    return [np.full((144, 256), value, np.uint8)] * frames


def rows(pictures: Iterable[Picture], times: Iterable[float]) -> list[FrameFeatures]:
    extractor = FeatureExtractor()
    return [
        extractor.extract(time_s, SmallFrame(picture, np.repeat(picture[::2, ::2, None], 3, axis=2)))
        for picture, time_s in zip(pictures, times, strict=False)
    ]


def cuts(pictures: Sequence[Picture], times: Iterable[float] | None = None) -> list[float]:
    """Return the cuts, in frames when no times are given."""
    finder = CutFinder()
    found = [cut for row in rows(pictures, times or itertools.count(0, 1 / FPS)) for cut in finder.add(row)]
    found += finder.finish()
    assert found == sorted(found)
    return found if times else [cut * FPS for cut in found]


A, B = scenery(1), scenery(2)


def test_a_hard_cut_is_found_to_the_frame() -> None:
    assert cuts([*still(1, 50), *still(2, 50), *panning(3, 50, 1)]) == pytest.approx([50, 100])


def test_cuts_are_found_at_uneven_times_and_at_one_frame_a_second() -> None:
    times = np.cumsum(np.random.default_rng(1).choice([0.02, 0.04, 0.09], 100)).tolist()
    assert cuts([*still(1, 50), *still(2, 50)], times) == [times[50]]
    assert cuts([*still(1, 5), *still(2, 5)], [float(second) for second in range(10)]) == [5.0]


@pytest.mark.parametrize("frames", [1, 2, 4, 8])
@pytest.mark.parametrize("light", [255, 0], ids=["white", "black"])
@pytest.mark.parametrize("strength", [0.6, 1.0])
def test_a_flash_is_no_cut(frames: int, light: int, strength: float) -> None:
    lit = mixed(A, np.full_like(A, light), strength)
    assert cuts([*still(1, 50), *[lit] * frames, *still(1, 50)]) == []


def test_a_flash_at_a_cut_leaves_one_cut() -> None:
    found = cuts([*still(1, 50), *blank(255, 2), *still(2, 50)])
    assert found == pytest.approx([50], abs=2)


def test_a_strobe_is_no_cut() -> None:
    beats = [picture for _ in range(20) for picture in [*blank(255, 2), *still(1, 4)]]
    assert cuts([*still(1, 50), *beats, *still(1, 50)]) == []


def test_a_jolt_of_the_camera_is_no_cut() -> None:
    assert cuts([*still(1, 50), *[np.roll(A, (6, 17), axis=(0, 1))] * 50]) == []


@pytest.mark.parametrize("step", [2, 8])
def test_a_pan_is_no_cut(step: int) -> None:
    assert cuts([*still(1, 30), *panning(1, 60, step), *panning(1, 1, 0)]) == []


@pytest.mark.parametrize("frames", [10, 20, 40])
def test_a_dissolve_is_cut_in_its_middle(frames: int) -> None:
    found = cuts([*still(1, 60), *dissolve(A, B, frames), *still(2, 60)])
    assert found == pytest.approx([60 + frames / 2], abs=FPS * 0.3)


def test_a_light_that_is_turned_up_slowly_is_no_cut() -> None:
    dark = mixed(A, np.zeros_like(A), 0.7)
    assert cuts([*[dark] * 60, *dissolve(dark, A, 25), *still(1, 60)]) == []


@pytest.mark.parametrize("color", [0, 255])
@pytest.mark.parametrize("held", [0, 3, 25])
def test_a_fade_is_cut_once_in_its_middle(color: int, held: int) -> None:
    empty = np.full_like(A, color)
    middle = [*dissolve(A, empty, 12), *blank(color, held), *dissolve(empty, B, 12)]
    found = cuts([*still(1, 60), *middle, *still(2, 60)])
    assert found == pytest.approx([60 + len(middle) / 2], abs=FPS * 0.3)


def test_a_long_black_stretch_is_a_scene_and_black_at_either_end_of_a_video_is_none() -> None:
    assert cuts([*still(1, 50), *blank(0, 150), *still(2, 50)]) == pytest.approx([50, 200])
    black = np.zeros_like(A)
    assert cuts([*blank(0, 20), *dissolve(black, A, 10), *still(1, 50), *dissolve(A, black, 10), *blank(0, 20)]) == []


def page(seed: int, lines: int) -> Picture:
    """Make a white page with lines of marks."""
    random = np.random.default_rng(seed)
    marks = random.integers(0, 2, (144, 256)) * 215
    paper = np.full((144, 256), 255)
    for line in range(lines):
        top = 20 + 14 * line
        paper[top : top + 6, 20 : int(random.integers(140, 230))] = marks[top : top + 6, 20 : 20 + 1].mean() / 2
    return paper.astype(np.uint8)


def test_a_slide_that_changes_is_a_cut_and_one_that_gains_a_line_is_none() -> None:
    assert cuts([*[page(1, 7)] * 75, *[page(2, 2)] * 75]) == pytest.approx([75])
    assert cuts([*[page(1, 4)] * 75, *[page(1, 5)] * 75]) == []


def test_memory_does_not_grow_with_the_video() -> None:
    finder = CutFinder()
    for number, row in enumerate(rows(panning(1, 500, 1), itertools.count(0, 1 / FPS))):
        finder.add(row)
        if number > 100:
            assert len(finder._frames) < 3 * FPS
