"""Choosing the pictures that stand for a scene, among frames kept while it was decoded."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from heimdex.media.reduced import Reduced

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

# Mean luma (as coded: black is 16, white 235) outside of which a frame shows nothing: black, white, the middle of a fade.
DARKEST, BRIGHTEST = 30.0, 221.0
# Variance of the Laplacian below which even a picture of 256 pixels' width shows no edge.
BLURRIEST = 4.0
# Of the frames that pass, those at least this sharp beside the sharpest may represent the scene.
SHARP_ENOUGH = 0.6
# Scenes this long (seconds) may have a second picture, and a third …
SECOND_FROM_S, THIRD_FROM_S = 8.0, 30.0
# … of what looks this different from the others (mean distance of the miniatures, 0 to 255): a still take needs no copies of itself.
DIFFERENT = 12.0

MOST_CANDIDATES = 12
INTERVAL_S = 0.4
# A cut is certain so long after it happened (seconds); until then every candidate after it may be needed.
UNDECIDED_S = 4.0

PICTURE_SIDE = 1280
THUMBNAIL_SIDE = 320
_QUALITY = 88


@dataclass(frozen=True)
class Candidate:
    """A frame that may stand for its scene: its time, how it scores, a 16 × 9 grey miniature, and the frame as it was decoded."""

    time_s: float
    sharpness: float
    brightness: float
    miniature: NDArray[np.float32]
    frame: "VideoFrame | None"


@dataclass(frozen=True)
class Keyframe:
    """A picture that stands for a scene, upright, as JPEG: its longest side at most 1,280 pixels, that of the thumbnail 320."""

    time_s: float
    jpeg: bytes
    thumbnail: bytes
    sharpness: float
    brightness: float


def candidate(frame: "VideoFrame", small: Reduced, time_s: float) -> Candidate:
    """Score a frame and keep it; a large one is kept at the size that would be stored, so that memory stays bounded."""
    import cv2

    shrink = PICTURE_SIDE / max(frame.width, frame.height)
    if shrink < 1:
        width, height = (max(2, round(side * shrink / 2) * 2) for side in (frame.width, frame.height))
        frame = frame.reformat(width, height, "yuv420p", interpolation="AREA", threads=1)
    return Candidate(
        time_s=time_s,
        sharpness=float(cv2.Laplacian(small.luma, cv2.CV_32F).var()),
        brightness=float(small.luma.mean()),
        miniature=cv2.resize(small.luma, (16, 9), interpolation=cv2.INTER_AREA).astype(np.float32),
        frame=frame,
    )


class CandidateFrames:
    """Frames spread evenly over a scene of unknown length: one every 0.4 seconds of the last four, and never more than 12 before them."""

    def __init__(self) -> None:
        self._kept: list[Candidate] = []

    def wants(self, time_s: float) -> bool:
        """Return whether a frame at this time is far enough from the last one kept."""
        return not self._kept or time_s - self._kept[-1].time_s >= INTERVAL_S

    def add(self, frame: Candidate) -> None:
        """Keep a frame; of older ones, the one whose neighbours lie closest together goes."""
        self._kept.append(frame)
        times = [kept.time_s for kept in self._kept if kept.time_s < frame.time_s - UNDECIDED_S]
        if len(times) > MOST_CANDIDATES:
            del self._kept[min(range(1, len(times) - 1), key=lambda place: times[place + 1] - times[place - 1])]

    def split(self, time_s: float) -> list[Candidate]:
        """Take out the frames before a cut."""
        before = [kept for kept in self._kept if kept.time_s < time_s]
        self._kept = self._kept[len(before) :]
        return before


def chosen(candidates: Sequence[Candidate], length_s: float) -> list[Candidate]:
    """Choose one to three frames by the scene's length: first the one that represents it, then what differs most from those before.

    The first looks most like its scene among those that are neither black, white nor blurred. When none passes that gate (a scene in the
    dark), the sharpest stands for it; without any candidate, nothing does.
    """
    if not candidates:
        return []
    clear = [frame for frame in candidates if DARKEST <= frame.brightness <= BRIGHTEST and frame.sharpness >= BLURRIEST]
    if not clear:
        return [max(candidates, key=lambda frame: frame.sharpness)]
    sharpest = max(frame.sharpness for frame in clear)
    sharp = [frame for frame in clear if frame.sharpness >= SHARP_ENOUGH * sharpest]
    typical = np.median(np.stack([frame.miniature for frame in sharp]), axis=0)
    found = [min(sharp, key=lambda frame: float(np.abs(frame.miniature - typical).mean()))]
    for least_s in (SECOND_FROM_S, THIRD_FROM_S):
        other = max(clear, key=lambda frame: _unlike(frame, found))
        if length_s >= least_s and _unlike(other, found) >= DIFFERENT:
            found.append(other)
    return found


def _unlike(frame: Candidate, others: Sequence[Candidate]) -> float:
    """Return how far a frame lies from the nearest of the others."""
    return min(float(np.abs(frame.miniature - other.miniature).mean()) for other in others)


def developed(frame: Candidate, rotation: int) -> Keyframe | None:
    """Make the keyframe of a chosen frame; `rotation` is the one the file asks a player for, in degrees counter-clockwise."""
    import cv2

    if frame.frame is None:
        return None
    image = np.rot90(frame.frame.reformat(format="bgr24", threads=1).to_ndarray(), round(rotation / 90))
    height, width = image.shape[:2]
    shrink = min(1.0, THUMBNAIL_SIDE / max(height, width))
    size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    thumbnail = cv2.resize(np.ascontiguousarray(image), size, interpolation=cv2.INTER_AREA)
    return Keyframe(frame.time_s, _jpeg(image), _jpeg(thumbnail), frame.sharpness, frame.brightness)


def _jpeg(image: NDArray[Any]) -> bytes:
    import cv2

    _, content = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return content.tobytes()
