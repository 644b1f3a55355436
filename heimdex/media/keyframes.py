"""Choosing the picture that stands for a scene."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL import Image

# Mean luminance (0 to 255) outside of which a frame shows nothing: black, white, the middle of a fade.
DARKEST, BRIGHTEST = 16.0, 239.0
# Variance of the Laplacian below which even a picture of 256 pixels' width shows no edge.
BLURRIEST = 4.0
# Of the frames that pass, those at least this sharp beside the sharpest may represent the scene.
SHARP_ENOUGH = 0.6
MOST_CANDIDATES = 12
FIRST_INTERVAL_S = 0.4


@dataclass(frozen=True)
class Candidate:
    """A frame that may stand for its scene: its time, how it scores, a 16 × 9 grey miniature and the picture itself (RGB)."""

    time_s: float
    sharpness: float
    brightness: float
    miniature: NDArray[np.float32]
    picture: NDArray[np.uint8]


@dataclass(frozen=True)
class Keyframe:
    """The picture that stands for a scene: RGB, upright, its longest side at most 1,280 pixels."""

    time_s: float
    image: "Image.Image"
    sharpness: float
    brightness: float


class CandidateFrames:
    """Frames spread evenly over a scene of unknown length, never more than 12: when full, every other one is dropped."""

    def __init__(self) -> None:
        self._kept: list[Candidate] = []
        self._interval_s = FIRST_INTERVAL_S

    def wants(self, time_s: float) -> bool:
        """Return whether a frame at this time is far enough from the last one kept."""
        return not self._kept or time_s - self._kept[-1].time_s >= self._interval_s

    def add(self, candidate: Candidate) -> None:
        """Keep a frame."""
        self._kept.append(candidate)
        if len(self._kept) > MOST_CANDIDATES:
            self._kept = self._kept[::2]
            self._interval_s *= 2

    def split(self, time_s: float) -> list[Candidate]:
        """Take out the frames before a cut and start anew with those after it."""
        before = [candidate for candidate in self._kept if candidate.time_s < time_s]
        self._kept = self._kept[len(before) :]
        self._interval_s = FIRST_INTERVAL_S
        return before


def best(candidates: Sequence[Candidate]) -> Candidate | None:
    """Choose the frame that looks most like its scene among those that are neither black, white nor blurred.

    When none passes that gate (a scene in the dark), the sharpest stands for it; without any candidate, nothing does.
    """
    if not candidates:
        return None
    clear = [frame for frame in candidates if DARKEST <= frame.brightness <= BRIGHTEST and frame.sharpness >= BLURRIEST]
    if not clear:
        return max(candidates, key=lambda frame: frame.sharpness)
    sharpest = max(frame.sharpness for frame in clear)
    sharp = [frame for frame in clear if frame.sharpness >= SHARP_ENOUGH * sharpest]
    typical = np.median(np.stack([frame.miniature for frame in sharp]), axis=0)
    return min(sharp, key=lambda frame: float(np.abs(frame.miniature - typical).mean()))


def upright(candidate: Candidate, rotation: int) -> Keyframe:
    """Make the keyframe of a chosen frame; `rotation` is the one the file asks a player for, in degrees counter-clockwise."""
    from PIL import Image

    image = Image.fromarray(candidate.picture)
    if rotation % 360:
        image = image.rotate(rotation, expand=True)
    return Keyframe(candidate.time_s, image, candidate.sharpness, candidate.brightness)
