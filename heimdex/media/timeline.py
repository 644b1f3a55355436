"""A strip of small pictures, evenly spread over a video, to find one's way by."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from heimdex.media.reduced import Reduced

# So many pictures show a film's course, and their sheet is a JPEG of some hundred kilobytes.
MOST_TILES = 100
SHORTEST_STEP_S = 1.0
TILE_SIDE = 160
COLUMNS = 10
_QUALITY = 75

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Layout:
    """How the sheet of a video is read: `count` pictures, row by row of `columns`; picture `i` shows second `i × step_s`."""

    step_s: float
    columns: int
    count: int


def layout(duration_s: float) -> Layout:
    """Return the layout of a video's sheet, which follows from its length alone."""
    step_s = max(SHORTEST_STEP_S, duration_s / MOST_TILES)
    count = min(MOST_TILES, max(1, ceil(duration_s / step_s)))
    return Layout(step_s, min(COLUMNS, count), count)


class Tiles:
    """Takes a picture whenever one is due."""

    def __init__(self, duration_s: float, rotation: int) -> None:
        self._layout = layout(duration_s)
        self._rotation = rotation
        self._taken = 0

    def take(self, time_s: float, picture: Reduced) -> list[Picture]:
        """Return the pictures that are due at a frame: none or one, more where the frame before stood for longer than a step."""
        due = 0
        while self._taken < self._layout.count and time_s >= self._taken * self._layout.step_s:
            self._taken += 1
            due += 1
        return [_tile(picture, self._rotation)] * due if due else []


def sheet(tiles: Sequence[Picture], duration_s: float) -> bytes:
    """Lay the pictures of a video out on one JPEG; there must be at least one. What a broken tail lacks is filled with the last."""
    from PIL import Image

    plan = layout(duration_s)
    height, width = tiles[0].shape[:2]
    paper = Image.new("RGB", (plan.columns * width, ceil(plan.count / plan.columns) * height))
    for place in range(plan.count):
        row, column = divmod(place, plan.columns)
        paper.paste(Image.fromarray(tiles[min(place, len(tiles) - 1)]), (column * width, row * height))
    buffer = io.BytesIO()
    paper.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()


def _tile(picture: Reduced, rotation: int) -> Picture:
    import cv2

    height, width = picture.luma.shape
    shrink = min(1.0, TILE_SIDE / max(height, width))
    size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    colour = cv2.resize(picture.colour, size, interpolation=cv2.INTER_LINEAR)
    colour[..., 0] = cv2.resize(picture.luma, size, interpolation=cv2.INTER_AREA)
    shown = cv2.cvtColor(colour, cv2.COLOR_YUV2RGB)
    return np.ascontiguousarray(np.rot90(shown, round(rotation / 90)), dtype=np.uint8)
