"""Find gradual transitions: dissolves from one shot to another, and fades through black or white. Pure."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from heimdex.media.frame_features import FrameFeatures
from heimdex.media.scene_lengths import SHORTEST_S
from heimdex.media.similarity import correlate, has_returned, is_camera_move

# Dissolves take a third of a second to two seconds; samples at this interval show their course well enough.
TICK_S = 0.08
# Half the durations of possible dissolves, in ticks.
REACHES = (4, 8, 12)


@dataclass(frozen=True)
class DissolveThresholds:
    """The conditions for a dissolve.

    `min_distance` is the distance of its ends (root mean square of the miniatures, 0 to 255), `max_correlation` their correlation,
    independent of brightness and contrast. `max_residual` is what may remain of the frames between after the mixture of the ends is
    subtracted, as a share of the distance.
    """

    min_distance: float
    max_correlation: float
    max_residual: float


# For shots in motion, and for stills and pages, whose frames between are exact mixtures. Chosen on films with known dissolves
# (bench/scene_cuts.py), measured on others.
DISSOLVE_THRESHOLDS = (DissolveThresholds(14.0, 0.6, 0.22), DissolveThresholds(6.0, 0.8, 0.08))
_MIN_DISTANCE = min(thresholds.min_distance for thresholds in DISSOLVE_THRESHOLDS)
# The shares of the second end in the three frames between: they rise by at least this much, from this much above 0 to as much below 1 …
MIN_SHARE_STEP = 0.05
# … and the middle one is in the middle.
MIN_MIDDLE_SHARE, MAX_MIDDLE_SHARE = 0.3, 0.7
# The candidates of one dissolve follow each other closely; those of two dissolves do not.
MAX_GAP_S = 0.4

BLANK_CONTRAST = 8.0
BLANK_DARK, BLANK_BRIGHT = 40.0, 215.0
# Within this many seconds before and after a fade, the contrast is this many times that of its middle. A dark shot does not reach it.
RAMP_S, RAMP = 1.5, 2.5
# A blank stretch that begins with a change this large, and this many times that of the previous frame, was cut to. A fade goes in even
# steps.
MIN_JUMP, MIN_JUMP_RATIO = 6.0, 3.0
# Changes this shortly before and after the blank stretch belong to the fade.
BESIDE_S = 0.5
# A longer blank stretch is a scene of its own.
LONG_BLANK_S = 3.0
# If the frames before and after a blank stretch correlate at least this much, it was a blink and not a fade.
BLINK_CORRELATION = 0.8


@dataclass(frozen=True)
class GradualCut:
    """A transition: its middle, where the cut is placed, and its begin and end, in seconds."""

    time_s: float
    begin_s: float
    end_s: float
    through_blank: bool = False

    def overlaps(self, other: "GradualCut") -> bool:
        """Return whether two transitions overlap."""
        return self.begin_s <= other.end_s and other.begin_s <= self.end_s


def is_blank(frame: FrameFeatures) -> bool:
    """Return whether a frame shows nothing: black, white, or nearly so."""
    return frame.contrast <= BLANK_CONTRAST and not BLANK_DARK < frame.brightness < BLANK_BRIGHT


def is_mixture(frames: Sequence[FrameFeatures]) -> bool:
    """Return whether five evenly spaced frames go from the first to the last as a dissolve does.

    Each frame between is the sum of the two ends in shares that rise evenly, and the ends are far apart and show different content. A
    moving camera shows other content between, and a changing light has ends with the same content.
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
        self._begin_s: float | None = None
        self._last_s = 0.0
        # The frames at both ends of the open transition.
        self._first: FrameFeatures | None = None
        self._last: FrameFeatures | None = None

    @property
    def open_since(self) -> float | None:
        """The begin of the transition whose end is not known yet, in seconds."""
        return self._begin_s

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
            if self._begin_s is None:
                self._begin_s, self._first = time_s, self._ticks[middle - reach]
            self._last_s, self._last = time_s, self._ticks[middle + reach]
        elif self._begin_s is not None and time_s - self._last_s > MAX_GAP_S:
            return self.close()
        return None

    def _is_dissolve_at(self, middle: int, reach: int) -> bool:
        frames = [self._ticks[middle + step * reach // 2] for step in (-2, -1, 0, 1, 2)]
        # At a lower frame rate the samples do not show a dissolve's course.
        is_dense = frames[-1].time_s - frames[0].time_s <= 2 * reach * TICK_S * 2
        return is_dense and not is_blank(frames[0]) and not is_blank(frames[-1]) and is_mixture(frames)

    def close(self) -> GradualCut | None:
        """End the open transition, if there is one, and return it."""
        begin_s, first, last = self._begin_s, self._first, self._last
        self._begin_s = self._first = self._last = None
        if begin_s is None or first is None or last is None or is_camera_move(first.luma, last.luma):
            return None
        beside_s = TICK_S * min(REACHES)
        return GradualCut((begin_s + self._last_s) / 2, begin_s - beside_s, self._last_s + beside_s)


class FadeDetector:
    """Find stretches of blank frames between two shots: a fade if the shots fade into it, else two cuts."""

    def __init__(self) -> None:
        # Times and contrasts of the most recent frames.
        self._recent: deque[tuple[float, float]] = deque()
        self._last_content: FrameFeatures | None = None
        self._blank: _BlankStretch | None = None

    @property
    def open_since(self) -> float | None:
        """The begin of the blank stretch that is not classified yet, in seconds."""
        return self._blank.begin_s if self._blank and not self._blank.is_long else None

    def add(self, frame: FrameFeatures) -> GradualCut | None:
        """Add the next frame and return a cut that is certain now: the middle of a fade, or either end of a long blank stretch."""
        cut = self._on_blank(frame) if is_blank(frame) else self._on_content(frame)
        self._recent.append((frame.time_s, frame.contrast))
        while self._recent[0][0] < frame.time_s - RAMP_S:
            self._recent.popleft()
        return cut

    def _on_blank(self, frame: FrameFeatures) -> GradualCut | None:
        blank = self._blank
        if blank is None or blank.end_s is not None:
            max_contrast = max((contrast for _, contrast in self._recent), default=0.0)
            self._blank = _BlankStretch(frame, frame.time_s, frame.contrast, max_contrast, self._last_content, self._is_jump(frame))
            return None
        blank.min_contrast = min(blank.min_contrast, frame.contrast)
        if not blank.is_long and frame.time_s - blank.begin_s >= LONG_BLANK_S and blank.is_deeper_than(blank.max_contrast_before):
            blank.is_long = True
            return GradualCut(blank.begin_s, blank.begin_s, blank.begin_s) if blank.before else None
        return None

    def _is_jump(self, frame: FrameFeatures) -> bool:
        last = self._last_content
        return last is not None and frame.change >= MIN_JUMP and frame.change >= MIN_JUMP_RATIO * last.change

    def _on_content(self, frame: FrameFeatures) -> GradualCut | None:
        self._last_content = frame
        blank = self._blank
        if blank is None:
            return None
        if blank.end_s is None:
            blank.end_s, blank.after = frame.time_s, frame
            if blank.is_long:
                self._blank = None
                return GradualCut(frame.time_s, frame.time_s, frame.time_s)
        if blank.is_deeper_than(frame.contrast):
            self._blank = None
            return blank.build_fade()
        if frame.time_s - blank.end_s > RAMP_S:
            self._blank = None
        return None


@dataclass
class _BlankStretch:
    """A stretch of blank frames: its first frame, its least contrast, the largest contrast before it, and the adjacent frames."""

    first: FrameFeatures
    begin_s: float
    min_contrast: float
    max_contrast_before: float
    before: FrameFeatures | None
    begins_with_jump: bool
    end_s: float | None = None
    after: FrameFeatures | None = None
    is_long: bool = False

    def is_deeper_than(self, contrast: float) -> bool:
        """Return whether a contrast is so much larger than that of the stretch that the stretch is not a dark shot."""
        return contrast >= RAMP * max(self.min_contrast, 1.0)

    def build_fade(self) -> GradualCut | None:
        """Return the cut of this stretch, now that the content after it is known."""
        if self.before is None or self.after is None or self.end_s is None or not self.is_deeper_than(self.max_contrast_before):
            return None
        if correlate(self.before, self.after) >= BLINK_CORRELATION or has_returned(self.before, self.first, self.after):
            return None
        if self.end_s - self.begin_s >= SHORTEST_S and self.begins_with_jump:
            # A dark shot between two cuts, which the other rules find.
            return None
        return GradualCut((self.begin_s + self.end_s) / 2, self.begin_s - BESIDE_S, self.end_s + BESIDE_S, through_blank=True)
