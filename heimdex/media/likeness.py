"""How much two frames have in common. Pure."""

import numpy as np
from numpy.typing import NDArray

from heimdex.media.frame_rows import FrameRow

# The middle of a picture, found again elsewhere in another with this correlation, was only moved. On films whose cuts are known, two shots
# reached 0.62 at most, and two moments of one shot mostly more than 0.9.
MOVED_ALIKE = 0.8
# What has come back is this much nearer to what was before than what was between.
RETURNED = 0.35
# A picture without contrast is found everywhere.
_LEAST_CONTRAST = 2.0


def distance(one: FrameRow, other: FrameRow) -> float:
    """Return how far two frames lie apart (root mean square of their miniatures, 0 to 255)."""
    difference = one.miniature - other.miniature
    return float(np.sqrt(difference @ difference / difference.size))


def alike(one: FrameRow, other: FrameRow) -> float:
    """Return the correlation of two miniatures (−1 to 1): the same whatever their brightness and contrast; 0 for a blank one."""
    a, b = one.miniature - one.miniature.mean(), other.miniature - other.miniature.mean()
    lengths = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / lengths if lengths > 1e-3 else 0.0


def is_return(before: FrameRow, between: FrameRow, after: FrameRow) -> bool:
    """Tell whether a picture that was gone has come back."""
    return distance(before, after) < RETURNED * distance(before, between)


def moved(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> bool:
    """Tell whether two pictures (luma at detection size) show the same, seen from a camera that has moved a little."""
    import cv2

    if before.shape != after.shape or min(before.shape) < 16:
        return False
    height, width = (side // 2 for side in before.shape)
    small, other = (cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA) for picture in (before, after))
    middle = other[height // 5 : -(height // 5), width // 5 : -(width // 5)]
    if float(middle.std()) < _LEAST_CONTRAST:
        return False
    return float(cv2.matchTemplate(small, middle, cv2.TM_CCOEFF_NORMED).max()) >= MOVED_ALIKE
