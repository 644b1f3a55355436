"""The features of a frame that cuts are found by: a few numbers and a thumbnail-size image."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heimdex.media.downscale import SmallFrame

MINIATURE = (16, 9)


@dataclass(frozen=True, slots=True)
class FrameFeatures:
    """The features of one frame.

    `change` is the mean distance to the previous frame (0 to 255); `luma` the image at detection size; `miniature` its luma in 16 × 9
    values; `brightness` and `contrast` are the mean and the standard deviation of the miniature (0 to 255).
    """

    time_s: float
    change: float
    luma: NDArray[np.uint8]
    miniature: NDArray[np.float32]
    brightness: float
    contrast: float


class FeatureExtractor:
    """Extract the features of consecutive frames. It remembers the previous frame."""

    def __init__(self) -> None:
        self._previous: NDArray[np.uint8] | None = None

    def extract(self, time_s: float, image: SmallFrame) -> FrameFeatures:
        """Return the features of the next frame."""
        import cv2

        color, previous = image.color, self._previous
        change = 0.0
        if previous is not None and previous.shape == color.shape:
            change = float(cv2.norm(color, previous, cv2.NORM_L1)) / color.size
        self._previous = color
        miniature = cv2.resize(image.luma, MINIATURE, interpolation=cv2.INTER_AREA).astype(np.float32).reshape(-1)
        mean, deviation = cv2.meanStdDev(miniature)
        return FrameFeatures(time_s, change, image.luma, miniature, float(mean[0, 0]), float(deviation[0, 0]))
