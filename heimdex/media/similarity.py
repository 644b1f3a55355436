"""Compare two frames. Pure."""

import numpy as np
from numpy.typing import NDArray

from heimdex.media.frame_features import FrameFeatures

# When the center of one frame is found elsewhere in the other with at least this correlation, only the camera moved. On films with known
# cuts, two shots reached at most 0.62, and two moments of one shot mostly more than 0.9.
MIN_MOVE_CORRELATION = 0.8
# A frame has returned when its distance to the earlier frame is less than this share of the distance of the frame in between.
MAX_RETURN_RATIO = 0.35
# An image without contrast matches everywhere.
_MIN_CONTRAST = 2.0


def compute_distance(first: FrameFeatures, second: FrameFeatures) -> float:
    """Return the root mean square difference of two miniatures, 0 to 255."""
    difference = first.miniature - second.miniature
    return float(np.sqrt(difference @ difference / difference.size))


def correlate(first: FrameFeatures, second: FrameFeatures) -> float:
    """Return the correlation of two miniatures, −1 to 1, independent of brightness and contrast; 0 if one of them is blank."""
    a, b = first.miniature - first.miniature.mean(), second.miniature - second.miniature.mean()
    lengths = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / lengths if lengths > 1e-3 else 0.0


def has_returned(before: FrameFeatures, between: FrameFeatures, after: FrameFeatures) -> bool:
    """Return whether an image that was replaced has come back."""
    return compute_distance(before, after) < MAX_RETURN_RATIO * compute_distance(before, between)


def is_camera_move(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> bool:
    """Return whether two images (luma at detection size) show the same content from a camera that has moved a little."""
    import cv2

    if before.shape != after.shape or min(before.shape) < 16:
        return False
    height, width = (side // 2 for side in before.shape)
    small_before, small_after = (cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA) for image in (before, after))
    center = small_after[height // 5 : -(height // 5), width // 5 : -(width // 5)]
    if float(center.std()) < _MIN_CONTRAST:
        return False
    return float(cv2.matchTemplate(small_before, center, cv2.TM_CCOEFF_NORMED).max()) >= MIN_MOVE_CORRELATION
