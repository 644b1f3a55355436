"""The frames of a video at the size of a stamp, for a network that looks for cuts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from heimdex.media.container import opened, timed_frames, video_stream
from heimdex.media.info import MediaInfo, accepted

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

# Width and height that TransNetV2 was trained with, whatever the shape of the picture.
SIZE = (48, 27)
_AT_ONCE = 50


@dataclass(frozen=True, eq=False)
class Stamps:
    """Some frames that follow each other: seconds from the first frame of the video, (n,), and pictures, (n, 27, 48, 3), red first."""

    times_s: NDArray[np.float64]
    pictures: NDArray[np.uint8]


def iter_stamps(path: Path, info: MediaInfo, on_progress: Callable[[float], None] | None = None) -> Iterator[Stamps]:
    """Yield all frames in order, 50 at a time; `on_progress` gets the share done, 0 to 1."""
    times: list[float] = []
    pictures: list[NDArray[np.uint8]] = []
    limits = accepted(info)
    with opened(path, limits) as container:
        for time_s, frame in timed_frames(container, video_stream(container, limits), info):
            times.append(time_s)
            pictures.append(_stamp(frame))
            if len(times) == _AT_ONCE:
                yield Stamps(np.array(times), np.stack(pictures))
                times, pictures = [], []
                if on_progress:
                    on_progress(min(1.0, time_s / info.duration_s))
    if times:
        yield Stamps(np.array(times), np.stack(pictures))
    if on_progress:
        on_progress(1.0)


def _stamp(frame: "VideoFrame") -> NDArray[np.uint8]:
    return np.asarray(frame.reformat(*SIZE, "rgb24", interpolation="AREA", threads=1).to_ndarray(), dtype=np.uint8)
