"""Select the keyframes of a scene among candidate frames that were kept while it was decoded."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from heimdex.media.frames import SmallFrame

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

# Outside of this mean luma (as coded: black is 16, white 235) a frame shows nothing: black, white, or the middle of a fade.
MIN_BRIGHTNESS, MAX_BRIGHTNESS = 30.0, 221.0
# Below this variance of the Laplacian even an image 256 pixels wide shows no edge.
MIN_SHARPNESS = 4.0
# Only frames with at least this share of the best frame's sharpness may represent the scene.
MIN_RELATIVE_SHARPNESS = 0.6
# Scenes at least this long (seconds) may have a second keyframe, and a third …
SECOND_FROM_S, THIRD_FROM_S = 8.0, 30.0
# … if it differs this much from the others (mean distance of the miniatures, 0 to 255). A static scene needs only one.
MIN_DIFFERENCE = 12.0

MAX_CANDIDATES = 12
INTERVAL_S = 0.4
# A cut becomes certain within this time (seconds). Until then, every candidate after it may be needed.
UNDECIDED_S = 4.0

IMAGE_SIDE = 1280
THUMBNAIL_SIDE = 320
_QUALITY = 88


@dataclass(frozen=True)
class Candidate:
    """A frame that may become a keyframe: its time, scores, 16 × 9 gray miniature, and the decoded frame."""

    time_s: float
    sharpness: float
    brightness: float
    miniature: NDArray[np.float32]
    frame: "VideoFrame | None"


@dataclass(frozen=True)
class Keyframe:
    """An upright image of a scene and its thumbnail, as JPEG. Their longest sides are at most 1,280 and 320 pixels."""

    time_s: float
    jpeg: bytes
    thumbnail: bytes
    sharpness: float
    brightness: float


def make_candidate(frame: "VideoFrame", small: SmallFrame, time_s: float) -> Candidate:
    """Score a frame. Reduce a large one to the size that would be stored, so that memory stays bounded."""
    import cv2

    shrink = IMAGE_SIDE / max(frame.width, frame.height)
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
    """Candidates spread evenly over a scene of unknown length: one per 0.4 seconds of the last four, and at most 12 before them."""

    def __init__(self) -> None:
        self._kept: list[Candidate] = []

    def needs_frame(self, time_s: float) -> bool:
        """Return whether a frame at this time is far enough from the last candidate."""
        return not self._kept or time_s - self._kept[-1].time_s >= INTERVAL_S

    def add(self, candidate: Candidate) -> None:
        """Add a candidate. If there are too many older ones, drop the one whose neighbors are closest together."""
        self._kept.append(candidate)
        times = [kept.time_s for kept in self._kept if kept.time_s < candidate.time_s - UNDECIDED_S]
        if len(times) > MAX_CANDIDATES:
            del self._kept[min(range(1, len(times) - 1), key=lambda index: times[index + 1] - times[index - 1])]

    def take_before(self, time_s: float) -> list[Candidate]:
        """Remove and return the candidates before a cut."""
        before = [kept for kept in self._kept if kept.time_s < time_s]
        self._kept = self._kept[len(before) :]
        return before


def select_keyframes(candidates: Sequence[Candidate], length_s: float) -> list[Candidate]:
    """Select one to three frames, depending on the length of the scene: first the representative, then the most different ones.

    The representative is the most typical of the sharp frames that are neither black, white nor blurred. If no frame passes (a dark
    scene), the sharpest represents it. Without candidates the result is empty.
    """
    if not candidates:
        return []
    clear = [frame for frame in candidates if MIN_BRIGHTNESS <= frame.brightness <= MAX_BRIGHTNESS and frame.sharpness >= MIN_SHARPNESS]
    if not clear:
        return [max(candidates, key=lambda frame: frame.sharpness)]
    best_sharpness = max(frame.sharpness for frame in clear)
    sharp = [frame for frame in clear if frame.sharpness >= MIN_RELATIVE_SHARPNESS * best_sharpness]
    typical = np.median(np.stack([frame.miniature for frame in sharp]), axis=0)
    selected = [min(sharp, key=lambda frame: float(np.abs(frame.miniature - typical).mean()))]
    for min_length_s in (SECOND_FROM_S, THIRD_FROM_S):
        other = max(clear, key=lambda frame: _measure_difference(frame, selected))
        if length_s >= min_length_s and _measure_difference(other, selected) >= MIN_DIFFERENCE:
            selected.append(other)
    return selected


def _measure_difference(frame: Candidate, others: Sequence[Candidate]) -> float:
    """Return the distance of a frame to the nearest of the others."""
    return min(float(np.abs(frame.miniature - other.miniature).mean()) for other in others)


def encode_keyframe(candidate: Candidate, rotation: int) -> Keyframe | None:
    """Encode a selected frame. `rotation` is the file's display rotation in degrees counterclockwise."""
    import cv2

    if candidate.frame is None:
        return None
    image = np.rot90(candidate.frame.reformat(format="bgr24", threads=1).to_ndarray(), round(rotation / 90))
    height, width = image.shape[:2]
    shrink = min(1.0, THUMBNAIL_SIDE / max(height, width))
    size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    thumbnail = cv2.resize(np.ascontiguousarray(image), size, interpolation=cv2.INTER_AREA)
    return Keyframe(candidate.time_s, _encode_jpeg(image), _encode_jpeg(thumbnail), candidate.sharpness, candidate.brightness)


def _encode_jpeg(image: NDArray[Any]) -> bytes:
    import cv2

    _, content = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return content.tobytes()
