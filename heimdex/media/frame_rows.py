"""What is kept of each frame to find cuts by: a few numbers and a picture the size of a stamp."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heimdex.media.reduced import Reduced

MINIATURE = (16, 9)


@dataclass(frozen=True, slots=True)
class FrameRow:
    """One frame.

    `change` is the mean distance to the frame before (0 to 255); `luma` the picture at detection size; `miniature` its luma in 16 × 9
    values; `brightness` and `contrast` are the mean and the standard deviation of the miniature (0 to 255).
    """

    time_s: float
    change: float
    luma: NDArray[np.uint8]
    miniature: NDArray[np.float32]
    brightness: float
    contrast: float


class RowMaker:
    """Turns frames into rows; remembers the frame before."""

    def __init__(self) -> None:
        self._before: NDArray[np.uint8] | None = None

    def row(self, time_s: float, picture: Reduced) -> FrameRow:
        """Return the row of the next frame."""
        import cv2

        colour, before = picture.colour, self._before
        change = 0.0
        if before is not None and before.shape == colour.shape:
            change = float(cv2.norm(colour, before, cv2.NORM_L1)) / colour.size
        self._before = colour
        miniature = cv2.resize(picture.luma, MINIATURE, interpolation=cv2.INTER_AREA).astype(np.float32).reshape(-1)
        mean, deviation = cv2.meanStdDev(miniature)
        return FrameRow(time_s, change, picture.luma, miniature, float(mean[0, 0]), float(deviation[0, 0]))
