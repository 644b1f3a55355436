"""How good a view of a face is: its size, its sharpness, and how far it is turned away."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

Point = tuple[float, float]
Corners = tuple[float, float, float, float]

# Every face is looked at in this size, so that the sharpness of a large face and of a small one can be compared.
CHIP = 112
# A face of so many pixels has all the detail that the models look at.
FULL_SIDE = 100
# Of a face that is as sharp as it needs to be.
FULL_SHARPNESS = 100.0


@dataclass(frozen=True)
class Landmarks:
    """Where the eyes and the nose are, in the picture's pixels; the eye at the left of the picture first."""

    left_eye: Point
    right_eye: Point
    nose: Point


def quality(side_px: float, sharpness: float, frontal: float, confidence: float) -> float:
    """Return how good a view is, 0 to 1: it is as good as the worst of its size, its sharpness, its pose and the detector's confidence.

    Sharpness is a variance: its root grows as the detail does.
    """
    return max(0.0, min(1.0, side_px / FULL_SIDE, math.sqrt(sharpness / FULL_SHARPNESS), frontal, confidence))


def frontal(landmarks: Landmarks) -> float:
    """Return 1 for a face that looks into the camera, and 0 for one whose nose stands below or beyond one of its eyes.

    A face that is tilted, but not turned away, keeps its 1.
    """
    left, right, nose = (np.array(point) for point in (landmarks.left_eye, landmarks.right_eye, landmarks.nose))
    axis = right - left
    length = float(axis @ axis)
    if length == 0:
        return 0.0
    # Along the line between the eyes: 0 at one eye, 1 at the other.
    place = float((nose - left) @ axis) / length
    return max(0.0, 1 - 2 * abs(place - 0.5))


def sharpness(picture: "Image", corners: Corners) -> float:
    """Return the variance of the Laplacian of a face's brightness (0 to 255), the face brought to 112 × 112 pixels.

    `corners` are left, top, right and bottom in the picture's pixels. The measure is that of Pech-Pacheco et al. 2000, "Diatom
    autofocusing in brightfield microscopy". A small face that is enlarged is as blurred as it looks.
    """
    from PIL.Image import Resampling

    grey: NDArray[np.float32] = np.asarray(picture.convert("L").resize((CHIP, CHIP), Resampling.BICUBIC, box=corners), dtype=np.float32)
    middle = grey[1:-1, 1:-1]
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * middle
    return float(laplacian.var())
