"""The layout of a timeline sheet, and when its tiles are due."""

import numpy as np
import pytest

from heimdex.media.frames import SmallFrame
from heimdex.media.timeline import SheetLayout, TileSampler, compute_layout


@pytest.mark.parametrize(
    ("duration_s", "layout"),
    [
        (0.0, SheetLayout(1.0, 1, 1)),
        (0.5, SheetLayout(1.0, 1, 1)),
        (1.0, SheetLayout(1.0, 1, 1)),
        (1.5, SheetLayout(1.0, 2, 2)),
        (9.0, SheetLayout(1.0, 9, 9)),
        (10.0, SheetLayout(1.0, 10, 10)),
        (10.5, SheetLayout(1.0, 10, 11)),
        (99.5, SheetLayout(1.0, 10, 100)),
        (100.0, SheetLayout(1.0, 10, 100)),
        (200.0, SheetLayout(2.0, 10, 100)),
    ],
)
def test_a_sheet_has_a_tile_per_second_and_at_most_a_hundred(duration_s: float, layout: SheetLayout) -> None:
    assert compute_layout(duration_s) == layout


def make_image(width: int = 32, height: int = 18) -> SmallFrame:
    return SmallFrame(np.zeros((height, width), np.uint8), np.zeros((height // 2, width // 2, 3), np.uint8))


def count_tiles(times: list[float], duration_s: float) -> list[int]:
    sampler = TileSampler(duration_s, 0)
    return [len(sampler.take(time_s, make_image())) for time_s in times]


def test_a_tile_is_due_every_second_from_the_first_frame_on() -> None:
    assert count_tiles([0.0, 0.5, 0.99, 1.0, 1.5, 2.2], 10.0) == [1, 0, 0, 1, 0, 1]


def test_a_frame_that_lasted_longer_fills_the_missed_tiles() -> None:
    assert count_tiles([0.0, 3.0, 3.5, 99.0, 100.0], 10.0) == [1, 3, 0, 6, 0]


@pytest.mark.parametrize(
    ("size", "rotation", "shape"),
    [
        ((320, 180), 0, (90, 160, 3)),
        ((180, 320), 0, (160, 90, 3)),
        ((320, 180), 90, (160, 90, 3)),
        ((320, 180), -90, (160, 90, 3)),
        ((320, 180), 270, (160, 90, 3)),
        ((320, 180), 180, (90, 160, 3)),
        ((80, 60), 0, (60, 80, 3)),
        ((640, 2), 0, (1, 160, 3)),
        ((2, 640), 0, (160, 1, 3)),
    ],
)
def test_the_longest_side_of_a_tile_is_at_most_160_pixels(size: tuple[int, int], rotation: int, shape: tuple[int, ...]) -> None:
    (tile,) = TileSampler(1.0, rotation).take(0.0, make_image(*size))
    assert tile.shape == shape


def test_the_tiles_of_a_long_video_are_further_apart() -> None:
    assert count_tiles([0.0, 1.0, 2.0, 3.0, 4.0], 200.0) == [1, 0, 1, 0, 1]


def test_a_tile_takes_its_brightness_from_the_larger_image() -> None:
    color = np.full((9, 16, 3), 128, np.uint8)
    color[..., 0] = 0
    (tile,) = TileSampler(1.0, 0).take(0.0, SmallFrame(np.full((18, 32), 255, np.uint8), color))
    assert tile.min() == 255
