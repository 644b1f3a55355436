"""Synthetic frame features, so that the rules for cuts are tested at exact values and without a decoder."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from heimdex.media.frames import FrameFeatures

Miniature = NDArray[np.float32]

# Camera moves are not detected in an image this small.
TINY = np.zeros((4, 4), np.uint8)
LENGTH = 40


def make_frame(
    time_s: float = 0.0,
    *,
    change: float = 0.0,
    miniature: Miniature | None = None,
    luma: NDArray[np.uint8] = TINY,
    brightness: float = 120.0,
    contrast: float = 50.0,
) -> FrameFeatures:
    """Build a frame. Brightness and contrast do not follow from the miniature: each rule reads only one of them."""
    return FrameFeatures(time_s, change, luma, make_shot(0) if miniature is None else miniature, brightness, contrast)


def make_shot(mismatches: int = 0, *, scale: float = 50.0, mean: float = 100.0) -> Miniature:
    """Build the miniature of a shot.

    It correlates with that of `mismatches=0` by exactly 1 − 2 · mismatches / 40, whatever scale and mean are. `mismatches` is even.
    """
    signs = np.tile(np.array([1.0, -1.0]), LENGTH // 2)
    signs[:mismatches] *= -1
    return (mean + scale * signs).astype(np.float32)


def make_flat(value: float) -> Miniature:
    """Build a miniature of one value."""
    return np.full(LENGTH, value, np.float32)


def list_times(start_s: float, end_s: float, fps: float = 25.0) -> Iterator[float]:
    """Yield the times of the frames from `start_s` up to, but without, `end_s`; without accumulated rounding."""
    first, last = round(start_s * fps), round(end_s * fps)
    for number in range(first, last):
        yield number / fps


def make_frames(times: Iterable[float], **features: object) -> list[FrameFeatures]:
    """Build a frame with the same features at each time."""
    return [make_frame(time_s, **features) for time_s in times]  # type: ignore[arg-type]
