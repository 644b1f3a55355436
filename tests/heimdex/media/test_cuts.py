"""The rule for cuts, on small synthetic images: no file, no decoder."""

import itertools
from collections.abc import Iterable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from heimdex.media.cuts import CutFinder, KnownCuts
from heimdex.media.frames import FeatureExtractor, FrameFeatures, SmallFrame
from tests.heimdex.media.synthetic import make_frame

FPS = 25
Image = NDArray[np.uint8]


def make_scenery(seed: int) -> Image:
    """Draw an image of 144 × 256 with large and small shapes."""
    random = np.random.default_rng(seed)
    coarse = np.kron(random.integers(20, 236, (6, 8)), np.ones((24, 32)))
    fine = np.kron(random.integers(-20, 21, (36, 64)), np.ones((4, 4)))
    return np.clip(coarse + fine, 0, 255).astype(np.uint8)


def repeat_frame(seed: int, frames: int) -> list[Image]:
    return [make_scenery(seed)] * frames


def make_pan(seed: int, frames: int, step: int) -> list[Image]:
    return [np.roll(make_scenery(seed), step * number, axis=1) for number in range(frames)]


def mix_images(old: Image, new: Image, share: float) -> Image:
    return np.asarray(old * (1 - share) + new * share, dtype=np.uint8)


def make_dissolve(old: Image, new: Image, frames: int) -> list[Image]:
    return [mix_images(old, new, (number + 1) / (frames + 1)) for number in range(frames)]


def make_blank(value: int, frames: int) -> list[Image]:
    return [np.full((144, 256), value, np.uint8)] * frames


def extract_features(images: Iterable[Image], times: Iterable[float]) -> list[FrameFeatures]:
    extractor = FeatureExtractor()
    return [
        extractor.extract(time_s, SmallFrame(image, np.repeat(image[::2, ::2, None], 3, axis=2)))
        for image, time_s in zip(images, times, strict=False)
    ]


def find_cuts(images: Sequence[Image], times: Iterable[float] | None = None) -> list[float]:
    """Return the cuts, in frames when no times are given."""
    finder = CutFinder()
    cuts = [cut for row in extract_features(images, times or itertools.count(0, 1 / FPS)) for cut in finder.add(row)]
    cuts += finder.finish()
    assert cuts == sorted(cuts)
    return cuts if times else [cut * FPS for cut in cuts]


A, B = make_scenery(1), make_scenery(2)


def test_a_hard_cut_is_found_to_the_frame() -> None:
    assert find_cuts([*repeat_frame(1, 50), *repeat_frame(2, 50), *make_pan(3, 50, 1)]) == pytest.approx([50, 100])


def test_cuts_are_found_at_uneven_times_and_at_one_frame_a_second() -> None:
    times = np.cumsum(np.random.default_rng(1).choice([0.02, 0.04, 0.09], 100)).tolist()
    assert find_cuts([*repeat_frame(1, 50), *repeat_frame(2, 50)], times) == [times[50]]
    assert find_cuts([*repeat_frame(1, 5), *repeat_frame(2, 5)], [float(second) for second in range(10)]) == [5.0]


@pytest.mark.parametrize("frames", [1, 2, 4, 8])
@pytest.mark.parametrize("light", [255, 0], ids=["white", "black"])
@pytest.mark.parametrize("strength", [0.6, 1.0])
def test_a_flash_is_not_a_cut(frames: int, light: int, strength: float) -> None:
    lit = mix_images(A, np.full_like(A, light), strength)
    assert find_cuts([*repeat_frame(1, 50), *[lit] * frames, *repeat_frame(1, 50)]) == []


def test_a_flash_at_a_cut_leaves_one_cut() -> None:
    cuts = find_cuts([*repeat_frame(1, 50), *make_blank(255, 2), *repeat_frame(2, 50)])
    assert cuts == pytest.approx([50], abs=2)


def test_a_strobe_is_not_a_cut() -> None:
    beats = [image for _ in range(20) for image in [*make_blank(255, 2), *repeat_frame(1, 4)]]
    assert find_cuts([*repeat_frame(1, 50), *beats, *repeat_frame(1, 50)]) == []


def test_a_camera_jolt_is_not_a_cut() -> None:
    assert find_cuts([*repeat_frame(1, 50), *[np.roll(A, (6, 17), axis=(0, 1))] * 50]) == []


@pytest.mark.parametrize("step", [2, 8])
def test_a_pan_is_not_a_cut(step: int) -> None:
    assert find_cuts([*repeat_frame(1, 30), *make_pan(1, 60, step), *make_pan(1, 1, 0)]) == []


@pytest.mark.parametrize("frames", [10, 20, 40])
def test_a_dissolve_is_cut_in_its_middle(frames: int) -> None:
    cuts = find_cuts([*repeat_frame(1, 60), *make_dissolve(A, B, frames), *repeat_frame(2, 60)])
    assert cuts == pytest.approx([60 + frames / 2], abs=FPS * 0.3)


def test_slowly_rising_light_is_not_a_cut() -> None:
    dark = mix_images(A, np.zeros_like(A), 0.7)
    assert find_cuts([*[dark] * 60, *make_dissolve(dark, A, 25), *repeat_frame(1, 60)]) == []


@pytest.mark.parametrize("color", [0, 255])
@pytest.mark.parametrize("blank_frames", [0, 3, 25])
def test_a_fade_is_cut_once_in_its_middle(color: int, blank_frames: int) -> None:
    empty = np.full_like(A, color)
    middle = [*make_dissolve(A, empty, 12), *make_blank(color, blank_frames), *make_dissolve(empty, B, 12)]
    cuts = find_cuts([*repeat_frame(1, 60), *middle, *repeat_frame(2, 60)])
    assert cuts == pytest.approx([60 + len(middle) / 2], abs=FPS * 0.3)


def test_a_long_black_stretch_is_a_scene_except_at_the_ends_of_a_video() -> None:
    assert find_cuts([*repeat_frame(1, 50), *make_blank(0, 150), *repeat_frame(2, 50)]) == pytest.approx([50, 200])
    black = np.zeros_like(A)
    assert (
        find_cuts(
            [*make_blank(0, 20), *make_dissolve(black, A, 10), *repeat_frame(1, 50), *make_dissolve(A, black, 10), *make_blank(0, 20)]
        )
        == []
    )


def make_page(seed: int, lines: int) -> Image:
    """Make a white page with lines of marks."""
    random = np.random.default_rng(seed)
    marks = random.integers(0, 2, (144, 256)) * 215
    paper = np.full((144, 256), 255)
    for line in range(lines):
        top = 20 + 14 * line
        paper[top : top + 6, 20 : int(random.integers(140, 230))] = marks[top : top + 6, 20 : 20 + 1].mean() / 2
    return paper.astype(np.uint8)


def test_a_new_slide_is_a_cut_and_a_new_line_on_a_slide_is_not() -> None:
    assert find_cuts([*[make_page(1, 7)] * 75, *[make_page(2, 2)] * 75]) == pytest.approx([75])
    assert find_cuts([*[make_page(1, 4)] * 75, *[make_page(1, 5)] * 75]) == []


def test_memory_does_not_grow_with_the_video() -> None:
    finder = CutFinder()
    for number, row in enumerate(extract_features(make_pan(1, 500, 1), itertools.count(0, 1 / FPS))):
        finder.add(row)
        if number > 100:
            assert len(finder._frames) < 3 * FPS


def test_known_cuts_are_returned_when_their_frame_arrives() -> None:
    known = KnownCuts([0.5, 1.0, 1.02, 9.0])
    assert [known.add(make_frame(time_s)) for time_s in (0.0, 1.0, 1.04)] == [[], [0.5, 1.0], [1.02]]
    assert known.finish() == [9.0]
