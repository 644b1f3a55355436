"""Gradual transitions: dissolves from one shot to another, and fades through black or white. Pure."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from heimdex.media.frame_rows import FrameRow
from heimdex.media.likeness import alike, is_return, moved
from heimdex.media.scene_lengths import SHORTEST_S

# Dissolves take from a third of a second to two seconds; looked at so often, their course is seen well enough.
TICK_S = 0.08
# Half the stretches, in ticks, over which a picture may turn into another.
REACHES = (4, 8, 12)


@dataclass(frozen=True)
class Likeness:
    """What a dissolve must be like: how far its ends lie apart (root mean square of the miniatures' values, 0 to 255), how much they may
    look alike whatever their brightness and contrast (correlation), and what may remain of the pictures between when the mixture of the
    ends is taken away (as a share of the distance)."""

    least_distance: float
    most_alike: float
    most_left: float


# Shots that move, and stills and pages of which each picture between is exactly a mixture. Chosen on films whose dissolves are known
# (bench/scene_cuts.py), measured on others.
LIKENESSES = (Likeness(14.0, 0.6, 0.22), Likeness(6.0, 0.8, 0.08))
_LEAST_DISTANCE = min(likeness.least_distance for likeness in LIKENESSES)
# A dissolve's candidates follow each other closely; those of two dissolves do not.
_GAP_S = 0.4

BLANK_CONTRAST = 8.0
BLANK_DARK, BLANK_BRIGHT = 40.0, 215.0
# Within so many seconds before and after a fade, the contrast is this many times that of its middle; a dark shot is not so deep.
RAMP_S, RAMP = 1.5, 2.5
# A blank that begins with such a change, and so many times that of the frame before, was cut to; a fade goes in even steps.
AT_ONCE, AT_ONCE_RATIO = 6.0, 3.0
# What changes so shortly before and after the blank belongs to the fade.
BESIDE_S = 0.5
# Blankness that lasts is a scene of its own.
LONG_BLANK_S = 3.0
# Of what stands before and after a blank: when they look more alike, it was a blink and not a fade.
BLINK_ALIKE = 0.8


@dataclass(frozen=True)
class GradualCut:
    """A transition: the middle, where the cut is put, and the stretch that it takes."""

    time_s: float
    begin_s: float
    end_s: float
    through_blank: bool = False

    def meets(self, other: "GradualCut") -> bool:
        """Tell whether two transitions overlap."""
        return self.begin_s <= other.end_s and other.begin_s <= self.end_s


def is_blank(row: FrameRow) -> bool:
    """Tell whether a frame shows nothing: black, white, or nearly."""
    return row.contrast <= BLANK_CONTRAST and not BLANK_DARK < row.brightness < BLANK_BRIGHT


def is_mixture(rows: Sequence[FrameRow]) -> bool:
    """Tell whether five frames at even distances go from the first to the last as a dissolve does.

    Every one between is the sum of the two ends in shares that rise evenly; the ends are far apart and show different things. A camera
    that moves has other pictures between, a light that changes has ends that show the same.
    """
    first = rows[0].miniature
    way = rows[-1].miniature - first
    squared = float(way @ way)
    distance = float(np.sqrt(squared / way.size))
    if distance < _LEAST_DISTANCE:
        return False
    between = np.array([row.miniature for row in rows[1:-1]]) - first
    shares = between @ way / squared
    if not (0.05 <= shares[0] < shares[1] - 0.05 and shares[1] < shares[2] - 0.05 and shares[2] <= 0.95 and 0.3 <= shares[1] <= 0.7):
        return False
    left = float(np.sqrt(((between - np.outer(shares, way)) ** 2).sum(axis=1) / squared).max())
    alikeness = alike(rows[0], rows[-1])
    return any(distance >= one.least_distance and left <= one.most_left and alikeness <= one.most_alike for one in LIKENESSES)


class Dissolves:
    """Finds dissolves in rows that come one after the other."""

    def __init__(self) -> None:
        self._ticks: deque[FrameRow] = deque(maxlen=2 * max(REACHES) + 1)
        self._begin_s: float | None = None
        self._last_s = 0.0
        # The frames at the ends of the transition that is open.
        self._first: FrameRow | None = None
        self._last: FrameRow | None = None

    @property
    def open_since(self) -> float | None:
        """When the transition began whose end is not seen yet."""
        return self._begin_s

    def add(self, row: FrameRow) -> GradualCut | None:
        """Take the next row; return a dissolve that has ended."""
        if self._ticks and row.time_s - self._ticks[-1].time_s < TICK_S * 0.95:
            return None
        self._ticks.append(row)
        middle = len(self._ticks) - 1 - max(REACHES)
        if middle < min(REACHES):
            return None
        now_s = self._ticks[middle].time_s
        reach = next((reach for reach in REACHES if middle >= reach and self._turns(middle, reach)), None)
        if reach is not None:
            if self._begin_s is None:
                self._begin_s, self._first = now_s, self._ticks[middle - reach]
            self._last_s, self._last = now_s, self._ticks[middle + reach]
        elif self._begin_s is not None and now_s - self._last_s > _GAP_S:
            return self.close()
        return None

    def _turns(self, middle: int, reach: int) -> bool:
        rows = [self._ticks[middle + step * reach // 2] for step in (-2, -1, 0, 1, 2)]
        # Fewer than so many frames a second do not show a dissolve's course.
        even = rows[-1].time_s - rows[0].time_s <= 2 * reach * TICK_S * 2
        return even and not is_blank(rows[0]) and not is_blank(rows[-1]) and is_mixture(rows)

    def close(self) -> GradualCut | None:
        """End the transition that is open, if one is."""
        begin_s, first, last = self._begin_s, self._first, self._last
        self._begin_s = self._first = self._last = None
        if begin_s is None or first is None or last is None or moved(first.luma, last.luma):
            return None
        beside_s = TICK_S * min(REACHES)
        return GradualCut((begin_s + self._last_s) / 2, begin_s - beside_s, self._last_s + beside_s)


class Fades:
    """Finds stretches of blank frames between two shots: a fade when the shots fade into it, else two cuts."""

    def __init__(self) -> None:
        # The contrast of what was shown lately.
        self._lately: deque[tuple[float, float]] = deque()
        self._shown: FrameRow | None = None
        self._blank: _Blank | None = None

    @property
    def open_since(self) -> float | None:
        """When the blankness began of which it is not known yet what it is."""
        return self._blank.begin_s if self._blank and not self._blank.lasts else None

    def add(self, row: FrameRow) -> GradualCut | None:
        """Take the next row; return a cut that is certain now: in the middle of a fade, or at either end of a long blank."""
        found = self._shows(row) if not is_blank(row) else self._hides(row)
        self._lately.append((row.time_s, row.contrast))
        while self._lately[0][0] < row.time_s - RAMP_S:
            self._lately.popleft()
        return found

    def _hides(self, row: FrameRow) -> GradualCut | None:
        blank = self._blank
        if blank is None or blank.end_s is not None:
            most = max((contrast for _, contrast in self._lately), default=0.0)
            self._blank = _Blank(row, row.time_s, row.contrast, most, self._shown, self._jumps(row))
            return None
        blank.least = min(blank.least, row.contrast)
        if not blank.lasts and row.time_s - blank.begin_s >= LONG_BLANK_S and blank.is_deep(blank.most_before):
            blank.lasts = True
            return GradualCut(blank.begin_s, blank.begin_s, blank.begin_s) if blank.before else None
        return None

    def _jumps(self, row: FrameRow) -> bool:
        return self._shown is not None and row.change >= AT_ONCE and row.change >= AT_ONCE_RATIO * self._shown.change

    def _shows(self, row: FrameRow) -> GradualCut | None:
        self._shown = row
        blank = self._blank
        if blank is None:
            return None
        if blank.end_s is None:
            blank.end_s, blank.after = row.time_s, row
            if blank.lasts:
                self._blank = None
                return GradualCut(row.time_s, row.time_s, row.time_s)
        if blank.is_deep(row.contrast):
            self._blank = None
            return blank.fade()
        if row.time_s - blank.end_s > RAMP_S:
            self._blank = None
        return None


@dataclass
class _Blank:
    """A stretch of blank frames: its first, its least contrast, the most in the ramp before it, and the frames that border on it."""

    first: FrameRow
    begin_s: float
    least: float
    most_before: float
    before: FrameRow | None
    begins_at_once: bool
    end_s: float | None = None
    after: FrameRow | None = None
    lasts: bool = False

    def is_deep(self, contrast: float) -> bool:
        """Tell whether a contrast is so much more than that of the blank that this is no dark shot."""
        return contrast >= RAMP * max(self.least, 1.0)

    def fade(self) -> GradualCut | None:
        """Return the cut that this stretch is, now that it is known what comes after it."""
        if self.before is None or self.after is None or self.end_s is None or not self.is_deep(self.most_before):
            return None
        if alike(self.before, self.after) >= BLINK_ALIKE or is_return(self.before, self.first, self.after):
            return None
        if self.end_s - self.begin_s >= SHORTEST_S and self.begins_at_once:
            # A dark shot between two cuts, which are found as such.
            return None
        return GradualCut((self.begin_s + self.end_s) / 2, self.begin_s - BESIDE_S, self.end_s + BESIDE_S, through_blank=True)
