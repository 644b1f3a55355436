"""The frames in which cuts are found: downscaled, reduced to features, compared, and in batches for the network."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from heimdex.media.container import find_video_stream, iter_timed_frames, load_pyav, open_video
from heimdex.media.info import MediaInfo, derive_limits

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

# Cuts are as visible in images whose longer side is about this long, at a twentieth of the work.
DETECTION_SIDE = 256
# OpenCV averages this many neighbors in a line with vector instructions, in a third of the time of INTER_AREA.
_FAST_DIVISORS = (3, 5)
# Formats whose first plane is 8-bit luma and whose other two are 8-bit color. Nearly all videos decode to them.
_PLANAR = {"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p"}

# The width and height of a miniature.
MINIATURE = (16, 9)
# If the center of one frame occurs anywhere in the other with at least this correlation, only the camera moved. On films with known cuts,
# two shots reached at most 0.62, and two moments of one shot mostly more than 0.9.
MIN_MOVE_CORRELATION = 0.8
# A frame has returned when its distance to the earlier frame is less than this share of the distance of the frame in between.
MAX_RETURN_RATIO = 0.35
# An image without contrast matches everywhere.
_MIN_CONTRAST = 2.0
# The width and height that TransNetV2 was trained with, whatever the aspect ratio of the video.
NETWORK_SIZE = (48, 27)
_BATCH_SIZE = 50


@dataclass(frozen=True, slots=True)
class SmallFrame:
    """A downscaled frame: luma (height × width) and color (height × width × YUV) with a quarter of the pixels.

    Values are as coded: in most files black is 16 and white is 235.
    """

    luma: NDArray[np.uint8]
    color: NDArray[np.uint8]


def downscale_frame(frame: "VideoFrame") -> SmallFrame:
    """Return a frame at detection size.

    Its planes are averaged in place, without converting the whole image. On 720p this takes a fifth of the time in which libswscale
    scales it to RGB.
    """
    import cv2

    if frame.format.name not in _PLANAR:
        shrink = min(1.0, DETECTION_SIDE / max(frame.width, frame.height))
        width, height = (max(2, round(side * shrink / 2) * 2) for side in (frame.width, frame.height))
        frame = frame.reformat(width, height, "yuv420p", interpolation="AREA", threads=1)
    divisor = max(1, round(max(frame.width, frame.height) / DETECTION_SIDE))
    luma, *colors = (_average(_read_plane(frame, index), divisor) for index in range(3))
    half = (max(1, luma.shape[1] // 2), max(1, luma.shape[0] // 2))
    small = [plane if plane.shape[::-1] == half else cv2.resize(plane, half, interpolation=cv2.INTER_AREA) for plane in (luma, *colors)]
    return SmallFrame(luma, np.asarray(cv2.merge(small), dtype=np.uint8))


def _read_plane(frame: "VideoFrame", index: int) -> NDArray[np.uint8]:
    plane = frame.planes[index]
    return np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]


def _average(plane: NDArray[np.uint8], divisor: int) -> NDArray[np.uint8]:
    """Shrink by an integer: average along one of `divisor` lines, which takes a fifth of the time of averaging all of them."""
    import cv2

    height, width = plane.shape
    if divisor == 1 or width < divisor or height < divisor:
        return plane.copy()
    across, down = width // divisor, height // divisor
    lines = plane[divisor // 2 : down * divisor : divisor, : across * divisor]
    if divisor in _FAST_DIVISORS:
        # The values are the same: a window over exactly the pixels of each result.
        return np.ascontiguousarray(cv2.blur(lines, (divisor, 1))[:, divisor // 2 :: divisor], dtype=np.uint8)
    return np.asarray(cv2.resize(lines, (across, down), interpolation=cv2.INTER_AREA), dtype=np.uint8)


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
    """Return whether the image of `before` has come back in `after`."""
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


@dataclass(frozen=True, eq=False)
class FrameBatch:
    """Consecutive frames: seconds from the first frame of the video, (n,), and RGB images, (n, 27, 48, 3)."""

    times_s: NDArray[np.float64]
    frames: NDArray[np.uint8]


def load_libraries() -> None:
    """Import what decoding needs, while a sandboxed process can still open files."""
    load_pyav()
    import cv2  # noqa: F401


def iter_frame_batches(path: Path, info: MediaInfo, on_progress: Callable[[float], None] | None = None) -> Iterator[FrameBatch]:
    """Yield all frames in order, 50 per batch. `on_progress` gets the share done, 0 to 1."""
    times: list[float] = []
    frames: list[NDArray[np.uint8]] = []
    limits = derive_limits(info)
    with open_video(path, limits) as container:
        for time_s, frame in iter_timed_frames(container, find_video_stream(container, limits), info):
            times.append(time_s)
            frames.append(_resize_for_network(frame))
            if len(times) == _BATCH_SIZE:
                yield FrameBatch(np.array(times), np.stack(frames))
                times, frames = [], []
                if on_progress:
                    on_progress(min(1.0, time_s / info.duration_s))
    if times:
        yield FrameBatch(np.array(times), np.stack(frames))
    if on_progress:
        on_progress(1.0)


def _resize_for_network(frame: "VideoFrame") -> NDArray[np.uint8]:
    return np.asarray(frame.reformat(*NETWORK_SIZE, "rgb24", interpolation="AREA", threads=1).to_ndarray(), dtype=np.uint8)
