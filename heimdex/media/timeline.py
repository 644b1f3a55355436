"""Compose a sheet of small images, evenly spread over a video, for navigation."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from heimdex.media.frames import SmallFrame

# This many images give an overview of a film, and their sheet is a JPEG of some hundred kilobytes.
MAX_TILES = 100
SHORTEST_STEP_S = 1.0
TILE_SIDE = 160
COLUMNS = 10
_QUALITY = 75

Tile = NDArray[np.uint8]


@dataclass(frozen=True)
class SheetLayout:
    """The layout of a sheet: `count` tiles in rows of `columns`. Tile `i` shows second `i × step_s`."""

    step_s: float
    columns: int
    count: int


def compute_layout(duration_s: float) -> SheetLayout:
    """Return the layout of a video's sheet, which depends only on its duration."""
    step_s = max(SHORTEST_STEP_S, duration_s / MAX_TILES)
    count = min(MAX_TILES, max(1, ceil(duration_s / step_s)))
    return SheetLayout(step_s, min(COLUMNS, count), count)


class TileSampler:
    """Take the tiles of a video at regular intervals."""

    def __init__(self, duration_s: float, rotation: int) -> None:
        self._layout = compute_layout(duration_s)
        self._rotation = rotation
        self._taken = 0

    def take(self, time_s: float, image: SmallFrame) -> list[Tile]:
        """Return the tiles that are due at a frame: none or one, or more if the previous frame lasted longer than a step."""
        due = 0
        while self._taken < self._layout.count and time_s >= self._taken * self._layout.step_s:
            self._taken += 1
            due += 1
        return [_render_tile(image, self._rotation)] * due if due else []


def compose_sheet(tiles: Sequence[Tile], duration_s: float) -> bytes:
    """Compose the tiles of a video, at least one, into one JPEG. The last tile fills the places of a missing tail."""
    from PIL import Image

    layout = compute_layout(duration_s)
    height, width = tiles[0].shape[:2]
    sheet = Image.new("RGB", (layout.columns * width, ceil(layout.count / layout.columns) * height))
    for index in range(layout.count):
        row, column = divmod(index, layout.columns)
        sheet.paste(Image.fromarray(tiles[min(index, len(tiles) - 1)]), (column * width, row * height))
    buffer = io.BytesIO()
    sheet.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()


def _render_tile(image: SmallFrame, rotation: int) -> Tile:
    import cv2

    height, width = image.luma.shape
    shrink = min(1.0, TILE_SIDE / max(height, width))
    size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    color = cv2.resize(image.color, size, interpolation=cv2.INTER_LINEAR)
    color[..., 0] = cv2.resize(image.luma, size, interpolation=cv2.INTER_AREA)
    rgb = cv2.cvtColor(color, cv2.COLOR_YUV2RGB)
    return np.ascontiguousarray(np.rot90(rgb, round(rotation / 90)), dtype=np.uint8)
