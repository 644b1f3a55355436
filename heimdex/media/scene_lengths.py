"""Limit the lengths of scenes: drop cuts that are too close together, and split takes that are too long. Pure."""

from collections import deque
from dataclasses import dataclass

# A second is the shortest scene that a viewer recognizes as such, and about the duration of one spoken phrase.
SHORTEST_S = 1.0
# A longer take is split, so that a result starts close to the match. Two minutes of speech fill about a third of a transcript's budget.
LONGEST_S = 120.0
# The motion of a take is measured over stretches of this duration.
_STRETCH_S = 1.0
# Cuts become certain within this time (`cuts.DECISION_DELAY_S` and the longest transition).
_WAIT_S = 6.0
# Times in files are rounded, to milliseconds at the coarsest.
_ROUNDING_S = 0.02


@dataclass
class _Stretch:
    """A stretch of about a second: its start and the largest change between two of its frames."""

    start_s: float
    max_change: float


class SceneLengthLimiter:
    """Turn cuts into scene boundaries, so that no scene is shorter than a second or longer than `longest_s`.

    Of cuts less than a second apart, the first counts. A take that is too long is split at the moment of least motion in the second half
    of `longest_s`, or as late as possible if nothing moves.
    """

    def __init__(self, longest_s: float = LONGEST_S) -> None:
        self._longest_s = max(longest_s, 4 * SHORTEST_S)
        self._start_s = 0.0
        self._stretches: deque[_Stretch] = deque()

    def add(self, time_s: float, change: float, cuts: list[float]) -> list[float]:
        """Add a frame's time, its distance to the previous frame, and the newly certain cuts. Return the newly certain boundaries."""
        if not self._stretches or time_s - self._stretches[-1].start_s >= _STRETCH_S:
            self._stretches.append(_Stretch(time_s, change))
        else:
            self._stretches[-1].max_change = max(self._stretches[-1].max_change, change)
        boundaries = [boundary for cut in cuts for boundary in self._apply_cut(cut)]
        return boundaries + self._split_take(time_s - _WAIT_S)

    def finish(self, duration_s: float, cuts: list[float]) -> list[float]:
        """Return the remaining boundaries at the end of the video. A cut less than a second before the end is dropped."""
        latest_s = duration_s - SHORTEST_S + _ROUNDING_S
        boundaries = []
        for cut in cuts:
            if cut <= latest_s:
                boundaries += self._apply_cut(cut)
        return boundaries + self._split_take(duration_s)

    def _apply_cut(self, cut: float) -> list[float]:
        boundaries = self._split_take(cut)
        if cut - self._start_s >= SHORTEST_S - _ROUNDING_S:
            boundaries.append(self._set_boundary(cut))
        return boundaries

    def _split_take(self, until_s: float) -> list[float]:
        """Split the current scene, up to a time, into scenes of at most the longest duration."""
        boundaries = []
        while until_s - self._start_s > self._longest_s + _ROUNDING_S:
            latest_s = min(self._start_s + self._longest_s, until_s - SHORTEST_S)
            middle_s = self._start_s + self._longest_s / 2
            candidates = [stretch for stretch in self._stretches if middle_s <= stretch.start_s <= latest_s]
            calmest = min(candidates, key=lambda stretch: (stretch.max_change, -stretch.start_s), default=None)
            boundaries.append(self._set_boundary(calmest.start_s if calmest else latest_s))
        return boundaries

    def _set_boundary(self, time_s: float) -> float:
        self._start_s = time_s
        while self._stretches and self._stretches[0].start_s < time_s:
            self._stretches.popleft()
        return time_s
