"""Find dissolves from one shot to another. Pure."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from heimdex.media.fades import GradualCut, is_blank
from heimdex.media.frames import FrameFeatures, correlate, is_camera_move

# Dissolves last a third of a second to two seconds. Samples at this interval are dense enough to recognize them.
TICK_S = 0.08
# Half the durations of possible dissolves, in ticks.
REACHES = (4, 8, 12)


@dataclass(frozen=True)
class DissolveThresholds:
    """The conditions for a dissolve.

    `min_distance` is the distance of its ends (root mean square of the miniatures, 0 to 255), `max_correlation` their correlation,
    independent of brightness and contrast. `max_residual` is the difference between an intermediate frame and the mixture of the ends, as
    a share of the distance.
    """

    min_distance: float
    max_correlation: float
    max_residual: float


# The first is for shots in motion, the second for stills and pages, whose intermediate frames are exact mixtures. Tuned on films with
# known dissolves (bench/scene_cuts.py), and measured on other films.
DISSOLVE_THRESHOLDS = (DissolveThresholds(14.0, 0.6, 0.22), DissolveThresholds(6.0, 0.8, 0.08))
_MIN_DISTANCE = min(thresholds.min_distance for thresholds in DISSOLVE_THRESHOLDS)
# The last frame's share rises by at least this much from 0, through the three intermediate frames, to 1 …
MIN_SHARE_STEP = 0.05
# … and is about a half in the middle frame.
MIN_MIDDLE_SHARE, MAX_MIDDLE_SHARE = 0.3, 0.7
# The candidates of one dissolve follow each other closely; those of two dissolves do not.
MAX_GAP_S = 0.4


def is_mixture(frames: Sequence[FrameFeatures]) -> bool:
    """Return whether five evenly spaced frames go from the first to the last as a dissolve does.

    Each intermediate frame is a mixture of the two ends, whose shares rise evenly. The ends differ and show different content. With a
    moving camera, the intermediate frames show other content; with changing light, both ends show the same content.
    """
    first = frames[0].miniature
    path = frames[-1].miniature - first
    squared = float(path @ path)
    distance = float(np.sqrt(squared / path.size))
    if distance < _MIN_DISTANCE:
        return False
    between = np.array([frame.miniature for frame in frames[1:-1]]) - first
    shares = between @ path / squared
    steps = np.diff(np.array([0.0, *shares, 1.0]))
    if steps.min() < MIN_SHARE_STEP or not MIN_MIDDLE_SHARE <= shares[1] <= MAX_MIDDLE_SHARE:
        return False
    residual = float(np.sqrt(((between - np.outer(shares, path)) ** 2).sum(axis=1) / squared).max())
    correlation = correlate(frames[0], frames[-1])
    return any(
        distance >= thresholds.min_distance and residual <= thresholds.max_residual and correlation <= thresholds.max_correlation
        for thresholds in DISSOLVE_THRESHOLDS
    )


class DissolveDetector:
    """Find dissolves in consecutive frames."""

    def __init__(self) -> None:
        self._ticks: deque[FrameFeatures] = deque(maxlen=2 * max(REACHES) + 1)
        self._start_s: float | None = None
        self._last_s = 0.0
        # The frames at both ends of the open transition.
        self._first: FrameFeatures | None = None
        self._last: FrameFeatures | None = None

    @property
    def open_since(self) -> float | None:
        """The start of the open transition in seconds; None without one."""
        return self._start_s

    def add(self, frame: FrameFeatures) -> GradualCut | None:
        """Add the next frame and return a dissolve that has ended."""
        if self._ticks and frame.time_s - self._ticks[-1].time_s < TICK_S * 0.95:
            return None
        self._ticks.append(frame)
        middle = len(self._ticks) - 1 - max(REACHES)
        if middle < min(REACHES):
            return None
        time_s = self._ticks[middle].time_s
        reach = next((reach for reach in REACHES if middle >= reach and self._is_dissolve_at(middle, reach)), None)
        if reach is not None:
            if self._start_s is None:
                self._start_s, self._first = time_s, self._ticks[middle - reach]
            self._last_s, self._last = time_s, self._ticks[middle + reach]
        elif self._start_s is not None and time_s - self._last_s > MAX_GAP_S:
            return self.close()
        return None

    def _is_dissolve_at(self, middle: int, reach: int) -> bool:
        frames = [self._ticks[middle + step * reach // 2] for step in (-2, -1, 0, 1, 2)]
        # At a lower frame rate the samples are too sparse to recognize a dissolve.
        is_dense = frames[-1].time_s - frames[0].time_s <= 2 * reach * TICK_S * 2
        return is_dense and not is_blank(frames[0]) and not is_blank(frames[-1]) and is_mixture(frames)

    def close(self) -> GradualCut | None:
        """End the open transition, if there is one, and return it."""
        start_s, first, last = self._start_s, self._first, self._last
        self._start_s = self._first = self._last = None
        if start_s is None or first is None or last is None or is_camera_move(first.luma, last.luma):
            return None
        margin_s = TICK_S * min(REACHES)
        return GradualCut((start_s + self._last_s) / 2, start_s - margin_s, self._last_s + margin_s)
