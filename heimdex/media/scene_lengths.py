"""How long scenes may be: what becomes of cuts that lie too close together, and of takes that never end. Pure."""

from collections import deque
from dataclasses import dataclass

# A second is the least that a person recognises as a scene of its own, and about the time of one spoken phrase.
SHORTEST_S = 1.0
# A longer take is split, so that a hit leads near what was searched; two minutes of speech fill about a third of a transcript's budget.
LONGEST_S = 120.0
# Calm is judged over so long a stretch.
_CALM_S = 1.0
# Cuts become certain so much later at most (`cuts.DECIDED_AFTER_S` and the longest transition).
_WAIT_S = 6.0
# Times in files are rounded, to milliseconds at the coarsest.
_ROUNDING_S = 0.02


@dataclass
class _Second:
    """A stretch of about a second: when it began and how much moved at most."""

    begin_s: float
    most: float


class SceneLengths:
    """Turns cuts into the borders of scenes, none of which is shorter than a second or longer than the longest allowed.

    Of cuts that lie closer together than a second the first counts. A take that is too long is split where it is calmest, in the later half
    of the longest allowed; where it is calm throughout, as late as possible.
    """

    def __init__(self, longest_s: float = LONGEST_S) -> None:
        self._longest_s = max(longest_s, 4 * SHORTEST_S)
        self._begin_s = 0.0
        self._seconds: deque[_Second] = deque()

    def add(self, time_s: float, change: float, cuts: list[float]) -> list[float]:
        """Take a frame's time, its distance to the one before, and the cuts that have become certain; return the borders that have."""
        if not self._seconds or time_s - self._seconds[-1].begin_s >= _CALM_S:
            self._seconds.append(_Second(time_s, change))
        else:
            self._seconds[-1].most = max(self._seconds[-1].most, change)
        borders = [border for cut in cuts for border in self._to(cut)]
        return borders + self._splits(time_s - _WAIT_S)

    def finish(self, duration_s: float, cuts: list[float]) -> list[float]:
        """Return the borders that are left when the video has ended; what would leave less than a second behind it is none."""
        late = duration_s - SHORTEST_S + _ROUNDING_S
        borders = []
        for cut in cuts:
            if cut <= late:
                borders += self._to(cut)
        return borders + self._splits(duration_s)

    def _to(self, cut: float) -> list[float]:
        borders = self._splits(cut)
        if cut - self._begin_s >= SHORTEST_S - _ROUNDING_S:
            borders.append(self._border(cut))
        return borders

    def _splits(self, until_s: float) -> list[float]:
        """Split what lasts longer than the longest allowed."""
        borders = []
        while until_s - self._begin_s > self._longest_s + _ROUNDING_S:
            latest = min(self._begin_s + self._longest_s, until_s - SHORTEST_S)
            middle = self._begin_s + self._longest_s / 2
            calm = [second for second in self._seconds if middle <= second.begin_s <= latest]
            calmest = min(calm, key=lambda second: (second.most, -second.begin_s), default=None)
            borders.append(self._border(calmest.begin_s if calmest else latest))
        return borders

    def _border(self, time_s: float) -> float:
        self._begin_s = time_s
        while self._seconds and self._seconds[0].begin_s < time_s:
            self._seconds.popleft()
        return time_s
