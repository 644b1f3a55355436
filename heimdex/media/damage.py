"""How much of a file could not be decoded, and what its owner is told of it."""

from dataclasses import dataclass
from heapq import heappop, heappush

# A recording may begin with pictures that need earlier ones; only a longer blank at the beginning is damage (seconds).
_LONGEST_LEAD_IN_S = 1.0
# A header's length is rounded, and a track may end a little before the others (seconds; share).
_SHORTEST_MISSING_S, _LEAST_MISSING = 2.0, 0.02


@dataclass(frozen=True)
class Decoded:
    """How many pictures were decoded, whole or not, and how many are damaged: decoded in part, or not at all."""

    pictures: int = 0
    lost: int = 0
    marred: int = 0

    def __add__(self, other: "Decoded") -> "Decoded":
        return Decoded(self.pictures + other.pictures, self.lost + other.lost, self.marred + other.marred)


class Losses:
    """Counts the pictures that a decoder returned in part, and those that it did not return where that leaves a gap in what is shown.

    Packets alone do not tell: some never become a picture of their own (the second field of a picture, what is only referred to). Nor do
    gaps: some videos stand still for a while. Pictures come in the order in which they are shown, packets in any. Times are in seconds.
    """

    def __init__(self, fps: float, start_s: float) -> None:
        self._each_s = 1 / fps
        self._waiting: list[float] = []
        self._last_s = start_s - self._each_s
        self._begun = False
        self._pictures = self._lost = self._marred = 0

    def sent(self, time_s: float) -> None:
        """Note a packet that was given to the decoder."""
        heappush(self._waiting, time_s)

    def came(self, time_s: float, *, whole: bool = True) -> None:
        """Note a picture; the decoder knows whether it is whole."""
        missing = self._until(time_s - self._each_s / 2)
        self._until(time_s + self._each_s / 2)
        gap = time_s - self._last_s
        if self._begun or gap > _LONGEST_LEAD_IN_S:
            self._lost += min(missing, self._fit(gap))
        self._begun, self._last_s = True, max(self._last_s, time_s)
        self._pictures += 1
        self._marred += not whole

    def ended(self) -> None:
        """Note that no more pictures come."""
        if self._waiting:
            gap = max(self._waiting) + self._each_s - self._last_s
            self._lost += min(len(self._waiting), self._fit(gap))
            self._waiting.clear()

    def taken(self) -> Decoded:
        """Return the counts since this was asked last."""
        decoded = Decoded(self._pictures, self._lost, self._marred)
        self._pictures = self._lost = self._marred = 0
        return decoded

    def _until(self, time_s: float) -> int:
        passed = 0
        while self._waiting and self._waiting[0] < time_s:
            heappop(self._waiting)
            passed += 1
        return passed

    def _fit(self, gap_s: float) -> int:
        """Return how many pictures are missing in a gap, if they came as regularly as the others."""
        return max(0, round(gap_s / self._each_s) - 1)


def damage_notice(decoded: Decoded, found_s: float, stated_s: float | None) -> str:
    """Return what of a video could not be decoded, for its owner, or nothing.

    `found_s` is how much of it (seconds) there is, `stated_s` what the file itself says, where it can be believed.
    """
    told = []
    if stated_s and stated_s - found_s > max(_SHORTEST_MISSING_S, _LEAST_MISSING * stated_s):
        told.append(f"The file ends early: it says that it lasts {_length(stated_s)}, and {_length(found_s)} of it is there.")
    damaged = decoded.lost + decoded.marred
    if damaged:
        percent = 100 * damaged / (decoded.pictures + decoded.lost)
        share = f"About {percent:.0f} %" if percent >= 1 else "Less than 1 %"
        told.append(f"{share} of the pictures are damaged and could not be decoded, or only in part.")
    if told:
        told.append("If you have a better copy, upload that.")
    return " ".join(told)


def _length(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
