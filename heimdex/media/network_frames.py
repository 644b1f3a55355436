"""Decode the frames of a video at the size of the network that finds cuts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from heimdex.media.container import find_video_stream, iter_timed_frames, open_video
from heimdex.media.info import MediaInfo, limits_for_accepted

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

# The width and height that TransNetV2 was trained with, whatever the aspect ratio of the video.
SIZE = (48, 27)
_BATCH_SIZE = 50


@dataclass(frozen=True, eq=False)
class FrameBatch:
    """Consecutive frames: seconds from the first frame of the video, (n,), and RGB images, (n, 27, 48, 3)."""

    times_s: NDArray[np.float64]
    frames: NDArray[np.uint8]


def iter_frame_batches(path: Path, info: MediaInfo, on_progress: Callable[[float], None] | None = None) -> Iterator[FrameBatch]:
    """Yield all frames in order, 50 per batch. `on_progress` gets the share done, 0 to 1."""
    times: list[float] = []
    frames: list[NDArray[np.uint8]] = []
    limits = limits_for_accepted(info)
    with open_video(path, limits) as container:
        for time_s, frame in iter_timed_frames(container, find_video_stream(container, limits), info):
            times.append(time_s)
            frames.append(_resize(frame))
            if len(times) == _BATCH_SIZE:
                yield FrameBatch(np.array(times), np.stack(frames))
                times, frames = [], []
                if on_progress:
                    on_progress(min(1.0, time_s / info.duration_s))
    if times:
        yield FrameBatch(np.array(times), np.stack(frames))
    if on_progress:
        on_progress(1.0)


def _resize(frame: "VideoFrame") -> NDArray[np.uint8]:
    return np.asarray(frame.reformat(*SIZE, "rgb24", interpolation="AREA", threads=1).to_ndarray(), dtype=np.uint8)
