"""Rate the view of a face by its size, its sharpness and its pose."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

Point = tuple[float, float]
Corners = tuple[float, float, float, float]

# Every face is resized to this side (pixels) first, so that the sharpness of large and small faces can be compared.
CHIP_PX = 112
# A face with at least this side (pixels) has all the detail that the models use.
FULL_SIDE_PX = 100
# Sharpness above which a face scores no higher.
FULL_SHARPNESS = 100.0


@dataclass(frozen=True)
class Landmarks:
    """The positions of eyes and nose in pixels of the image. `left_eye` is the eye on the left of the image."""

    left_eye: Point
    right_eye: Point
    nose: Point


def rate_view(side_px: float, sharpness: float, frontality: float, confidence: float) -> float:
    """Return the quality of a view, 0 to 1: the minimum of the scores for size, sharpness, pose and the detector's confidence.

    Sharpness is a variance. Its square root grows with the detail.
    """
    return max(0.0, min(1.0, side_px / FULL_SIDE_PX, math.sqrt(sharpness / FULL_SHARPNESS), frontality, confidence))


def measure_frontality(landmarks: Landmarks) -> float:
    """Return 1 for a face that looks into the camera, down to 0 when the nose is level with or beyond one of the eyes.

    A face that is tilted but not turned away scores 1.
    """
    left, right, nose = (np.array(point) for point in (landmarks.left_eye, landmarks.right_eye, landmarks.nose))
    axis = right - left
    length = float(axis @ axis)
    if length == 0:
        return 0.0
    # Along the line between the eyes: 0 at one eye, 1 at the other.
    position = float((nose - left) @ axis) / length
    return max(0.0, 1 - 2 * abs(position - 0.5))


def measure_sharpness(image: "Image", corners: Corners) -> float:
    """Return the variance of the Laplacian of a face's brightness (0 to 255) after resizing the face to 112 × 112 pixels.

    `corners` are left, top, right and bottom in pixels of the image. The measure comes from Pech-Pacheco et al. 2000, "Diatom
    autofocusing in brightfield microscopy". A small face counts as blurred, because it is enlarged.
    """
    from PIL.Image import Resampling

    gray: NDArray[np.float32] = np.asarray(image.convert("L").resize((CHIP_PX, CHIP_PX), Resampling.BICUBIC, box=corners), dtype=np.float32)
    middle = gray[1:-1, 1:-1]
    laplacian = gray[:-2, 1:-1] + gray[2:, 1:-1] + gray[1:-1, :-2] + gray[1:-1, 2:] - 4 * middle
    return float(laplacian.var())
