"""Find fades through black or white, and scenes that are black or white. Pure."""

from collections import deque
from dataclasses import dataclass

from heimdex.media.frames import FrameFeatures, correlate, has_returned
from heimdex.media.scene_lengths import SHORTEST_S

BLANK_CONTRAST = 8.0
BLANK_DARK, BLANK_BRIGHT = 40.0, 215.0
# Within RAMP_S seconds before and after a fade, the contrast reaches RAMP times that of its middle. That of a dark shot does not.
RAMP_S, RAMP = 1.5, 2.5
# A blank stretch starts with a cut if its first change is this large, and this many times that of the previous frame. A fade changes in
# even steps.
MIN_JUMP, MIN_JUMP_RATIO = 6.0, 3.0
# Changes within this time before and after the blank stretch belong to the fade (seconds).
BESIDE_S = 0.5
# A blank stretch of at least this duration is a scene (seconds).
LONG_BLANK_S = 3.0
# If the frames before and after a blank stretch correlate at least this much, it was a blink and not a fade.
BLINK_CORRELATION = 0.8


@dataclass(frozen=True)
class GradualCut:
    """A transition: its middle, where the cut is placed, and its start and end, in seconds."""

    time_s: float
    start_s: float
    end_s: float
    through_blank: bool = False

    def overlaps(self, other: "GradualCut") -> bool:
        """Return whether two transitions overlap."""
        return self.start_s <= other.end_s and other.start_s <= self.end_s


def is_blank(frame: FrameFeatures) -> bool:
    """Return whether a frame shows nothing: black, white, or nearly so."""
    return frame.contrast <= BLANK_CONTRAST and not BLANK_DARK < frame.brightness < BLANK_BRIGHT


class FadeDetector:
    """Find stretches of blank frames between two shots. They are a fade if the shots fade out and in, else two cuts."""

    def __init__(self) -> None:
        # Times and contrasts of the most recent frames.
        self._recent: deque[tuple[float, float]] = deque()
        self._last_content: FrameFeatures | None = None
        self._blank: _BlankStretch | None = None

    @property
    def open_since(self) -> float | None:
        """The start of the blank stretch that is not classified yet, in seconds; None without one."""
        return self._blank.start_s if self._blank and not self._blank.is_long else None

    def add(self, frame: FrameFeatures) -> GradualCut | None:
        """Add the next frame and return a cut that is certain now: the middle of a fade, or either end of a long blank stretch."""
        cut = self._handle_blank(frame) if is_blank(frame) else self._handle_content(frame)
        self._recent.append((frame.time_s, frame.contrast))
        while self._recent[0][0] < frame.time_s - RAMP_S:
            self._recent.popleft()
        return cut

    def _handle_blank(self, frame: FrameFeatures) -> GradualCut | None:
        blank = self._blank
        if blank is None or blank.end_s is not None:
            max_contrast = max((contrast for _, contrast in self._recent), default=0.0)
            self._blank = _BlankStretch(frame, frame.time_s, frame.contrast, max_contrast, self._last_content, self._is_jump(frame))
            return None
        blank.min_contrast = min(blank.min_contrast, frame.contrast)
        if not blank.is_long and frame.time_s - blank.start_s >= LONG_BLANK_S and blank.is_deeper_than(blank.max_contrast_before):
            blank.is_long = True
            return GradualCut(blank.start_s, blank.start_s, blank.start_s) if blank.before else None
        return None

    def _is_jump(self, frame: FrameFeatures) -> bool:
        last = self._last_content
        return last is not None and frame.change >= MIN_JUMP and frame.change >= MIN_JUMP_RATIO * last.change

    def _handle_content(self, frame: FrameFeatures) -> GradualCut | None:
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
    start_s: float
    min_contrast: float
    max_contrast_before: float
    before: FrameFeatures | None
    starts_with_jump: bool
    end_s: float | None = None
    after: FrameFeatures | None = None
    is_long: bool = False

    def is_deeper_than(self, contrast: float) -> bool:
        """Return whether a contrast exceeds that of the stretch so much that the stretch is not a dark shot."""
        return contrast >= RAMP * max(self.min_contrast, 1.0)

    def build_fade(self) -> GradualCut | None:
        """Return the cut of this stretch, now that the content after it is known."""
        if self.before is None or self.after is None or self.end_s is None or not self.is_deeper_than(self.max_contrast_before):
            return None
        if correlate(self.before, self.after) >= BLINK_CORRELATION or has_returned(self.before, self.first, self.after):
            return None
        if self.end_s - self.start_s >= SHORTEST_S and self.starts_with_jump:
            # This is a dark shot between two cuts, which the other rules find.
            return None
        return GradualCut((self.start_s + self.end_s) / 2, self.start_s - BESIDE_S, self.end_s + BESIDE_S, through_blank=True)
