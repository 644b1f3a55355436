"""Where a video is cut: the rule, over rows of one small picture per frame. Pure; memory does not grow with the video.

Hard cuts are frames that differ from the one before much more than their neighbours do from theirs (PySceneDetect's AdaptiveDetector).
A shot that moves hides the cut at its end from that rule; there, two frames must also show different things. And where nothing moves
for a second or more, as between slides, a small change will do. Of all those, what comes back within half a second was a flash, and what is
the same picture in another place was a jolt of the camera. Dissolves and fades are found beside them (`gradual`).
"""

from collections import deque
from collections.abc import Sequence
from itertools import islice

from heimdex.media.frame_rows import FrameRow
from heimdex.media.gradual import BLANK_CONTRAST, Dissolves, Fades, GradualCut
from heimdex.media.likeness import alike, is_return, moved

# AdaptiveDetector's window and ratio (PySceneDetect 0.7). Its least change (`min_content_val`) is 15, of hue, saturation and value; hue is
# noise in grey pictures, so we measure luma and colour difference, of which a cut between two dark shots without contrast makes 5.
WINDOW = 2
LEAST_RATIO = 3.0
LEAST_CHANGE, LEAST_ONSET = 4.0, 6.0
# Two frames that look no more alike than this (correlation of the miniatures) show different things.
STRANGE = 0.4
# Frames that stand still: nothing but what an encoder changes.
STILL_CHANGE = 0.5
STILL_FOR_S = 0.7
LEAST_SLIDE_CHANGE = 2.0
# A flash is over within this time.
FLASH_S = 0.5
# What is older than this is decided (seconds); a transition that is still open holds it up.
DECIDED_AFTER_S = 1.6


def stands_out(changes: Sequence[float]) -> bool:
    """Tell whether the middle one of five changes is that of a hard cut."""
    middle = changes[WINDOW]
    around = (sum(changes) - middle) / (len(changes) - 1)
    return middle >= LEAST_CHANGE and middle >= LEAST_RATIO * around


def is_onset(changes: Sequence[float]) -> bool:
    """Tell whether the middle one of five changes is far more than those on one side: a cut to or from a shot that moves, or a jerk."""
    calm = min(sum(changes[:WINDOW]), sum(changes[-WINDOW:])) / WINDOW
    return changes[WINDOW] >= max(LEAST_ONSET, LEAST_RATIO * calm)


def are_strange(one: FrameRow, other: FrameRow) -> bool:
    """Tell whether two frames show different things, and each of them something."""
    return min(one.contrast, other.contrast) > BLANK_CONTRAST and alike(one, other) <= STRANGE


def returns(before: Sequence[FrameRow], after: Sequence[FrameRow]) -> bool:
    """Tell whether a jump between two stretches of frames is that of a flash: into it, or out of it."""
    last, first = before[-1], after[0]
    return any(is_return(last, first, row) for row in after[1:]) or any(is_return(first, last, row) for row in before[:-1])


class CutFinder:
    """Finds cuts in rows that come one after the other; those that are certain are returned in their order."""

    def __init__(self) -> None:
        self._rows: deque[FrameRow] = deque()
        self._dissolves = Dissolves()
        self._fades = Fades()
        self._hard: list[float] = []
        self._gradual: list[GradualCut] = []
        # Returned already, but a hard cut may still turn out to lie inside.
        self._passed: list[GradualCut] = []
        # The first row that has not been judged yet, counted from the left.
        self._judged = 0

    def add(self, row: FrameRow) -> list[float]:
        """Take the next row and return the cuts that are certain now."""
        self._rows.append(row)
        for found in (self._fades.add(row), self._dissolves.add(row)):
            if found:
                self._gradual.append(found)
        self._judge(row.time_s - max(FLASH_S, STILL_FOR_S))
        open_since = [since for since in (self._dissolves.open_since, self._fades.open_since) if since is not None]
        return self._decided(min([row.time_s - DECIDED_AFTER_S, *(since - DECIDED_AFTER_S for since in open_since)]))

    def finish(self) -> list[float]:
        """Return the cuts that are left when the video has ended."""
        self._judge(float("inf"))
        if last := self._dissolves.close():
            self._gradual.append(last)
        return self._decided(float("inf"))

    def _judge(self, until_s: float) -> None:
        """Judge the rows that have enough others after them, and forget those that no later one needs."""
        rows = self._rows
        while self._judged < len(rows) - WINDOW and rows[self._judged].time_s <= until_s:
            if self._judged >= WINDOW and self._is_cut(self._judged):
                self._hard.append(rows[self._judged].time_s)
            self._judged += 1
            while self._judged > WINDOW + 1 and rows[self._judged].time_s - rows[0].time_s > max(FLASH_S, STILL_FOR_S):
                rows.popleft()
                self._judged -= 1

    def _is_cut(self, index: int) -> bool:
        rows = self._rows
        change = rows[index].change
        if change < LEAST_SLIDE_CHANGE:
            return False
        near = [row.change for row in islice(rows, index - WINDOW, index + WINDOW + 1)]
        if not (stands_out(near) or (is_onset(near) and are_strange(rows[index - 1], rows[index])) or self._is_slide(index)):
            return False
        now_s = rows[index].time_s
        before = [row for row in islice(rows, 0, index) if now_s - row.time_s <= FLASH_S]
        after = [row for row in islice(rows, index, len(rows)) if row.time_s - now_s <= FLASH_S]
        before = before or [rows[index - 1]]
        # A jolt blurs the frame in which it happens, so those on either side of it are compared too.
        beside = ((index - 1, index), (index - 2, index + 1))
        return not returns(before, after) and not any(moved(rows[one].luma, rows[other].luma) for one, other in beside)

    def _is_slide(self, index: int) -> bool:
        """Tell whether a small change lies between two stretches in which nothing moves at all."""
        rows = self._rows
        now_s = rows[index].time_s
        others = [row for place, row in enumerate(rows) if place != index and abs(row.time_s - now_s) <= STILL_FOR_S]
        return len(others) >= 2 and all(row.change <= STILL_CHANGE for row in others)

    def _decided(self, until_s: float) -> list[float]:
        """Return the cuts before a time: the middles of gradual ones, and hard ones, but for those inside a gradual one."""
        if not (self._hard or self._gradual or self._passed):
            return []
        fades = [one for one in (*self._gradual, *self._passed) if one.through_blank]
        self._gradual = [one for one in self._gradual if one.through_blank or not any(one.meets(fade) for fade in fades)]
        self._hard = [cut for cut in self._hard if not any(one.begin_s <= cut <= one.end_s for one in (*self._gradual, *self._passed))]
        due = [one for one in self._gradual if one.time_s < until_s]
        decided = sorted([*(cut for cut in self._hard if cut < until_s), *(one.time_s for one in due)])
        self._hard = [cut for cut in self._hard if cut >= until_s]
        self._gradual = [one for one in self._gradual if one.time_s >= until_s]
        self._passed = [one for one in (*self._passed, *due) if one.end_s >= until_s]
        return decided


class KnownCuts:
    """Cuts that were found before (seconds, in order), returned as a CutFinder returns those that it finds."""

    def __init__(self, cuts: Sequence[float]) -> None:
        self._left = deque(cuts)

    def add(self, row: FrameRow) -> list[float]:
        """Return the cuts up to this row."""
        found = []
        while self._left and self._left[0] <= row.time_s:
            found.append(self._left.popleft())
        return found

    def finish(self) -> list[float]:
        """Return the cuts that are left when the video has ended."""
        return list(self._left)
