"""Count the frames of a file that could not be decoded, and describe the damage to its owner."""

from dataclasses import dataclass
from heapq import heappop, heappush

# A recording may start with frames that need earlier ones. Only a longer gap at the start is damage (seconds).
_MAX_LEAD_IN_S = 1.0
# A header's duration is rounded, and a track may end a little before the others (seconds; share).
_MIN_MISSING_S, _MIN_MISSING_SHARE = 2.0, 0.02


@dataclass(frozen=True)
class DecodingStats:
    """The number of decoded frames (complete or partial), of lost frames, and of partial frames."""

    frames: int = 0
    lost: int = 0
    partial: int = 0

    def __add__(self, other: "DecodingStats") -> "DecodingStats":
        return DecodingStats(self.frames + other.frames, self.lost + other.lost, self.partial + other.partial)


class LossCounter:
    """Count the frames that a decoder returned partially, and the missing frames that leave a gap in the video.

    Packets alone are not enough: some never become a frame of their own (the second field of a frame, reference frames). Neither are
    gaps: some videos pause. Frames arrive in presentation order, packets in any order. Times are in seconds.
    """

    def __init__(self, fps: float, start_s: float) -> None:
        self._frame_s = 1 / fps
        self._pending: list[float] = []
        self._last_s = start_s - self._frame_s
        self._has_started = False
        self._frames = self._lost = self._partial = 0

    def record_packet(self, time_s: float) -> None:
        """Record a packet that the decoder got."""
        heappush(self._pending, time_s)

    def record_frame(self, time_s: float, *, is_complete: bool = True) -> None:
        """Record a frame. The decoder knows whether it is complete."""
        missing = self._drop_before(time_s - self._frame_s / 2)
        self._drop_before(time_s + self._frame_s / 2)
        gap = time_s - self._last_s
        if self._has_started or gap > _MAX_LEAD_IN_S:
            self._lost += min(missing, self._count_missing(gap))
        self._has_started, self._last_s = True, max(self._last_s, time_s)
        self._frames += 1
        self._partial += not is_complete

    def finish(self) -> None:
        """Record the end of the video."""
        if self._pending:
            gap = max(self._pending) + self._frame_s - self._last_s
            self._lost += min(len(self._pending), self._count_missing(gap))
            self._pending.clear()

    def take_stats(self) -> DecodingStats:
        """Return the counts since the last call."""
        stats = DecodingStats(self._frames, self._lost, self._partial)
        self._frames = self._lost = self._partial = 0
        return stats

    def _drop_before(self, time_s: float) -> int:
        dropped = 0
        while self._pending and self._pending[0] < time_s:
            heappop(self._pending)
            dropped += 1
        return dropped

    def _count_missing(self, gap_s: float) -> int:
        """Return how many frames are missing in a gap, at the regular frame rate."""
        return max(0, round(gap_s / self._frame_s) - 1)


def describe_damage(decoded: DecodingStats, actual_s: float, stated_s: float | None) -> str:
    """Return a notice for the owner about what could not be decoded, or an empty string.

    `actual_s` is the measured duration in seconds, `stated_s` the duration in the header, if it is plausible.
    """
    sentences = []
    if stated_s and stated_s - actual_s > max(_MIN_MISSING_S, _MIN_MISSING_SHARE * stated_s):
        sentences.append(
            f"The file ends early: its header states {_format_duration(stated_s)}, but it contains only {_format_duration(actual_s)}."
        )
    damaged = decoded.lost + decoded.partial
    if damaged:
        percent = 100 * damaged / (decoded.frames + decoded.lost)
        share = f"About {percent:.0f} %" if percent >= 1 else "Less than 1 %"
        sentences.append(f"{share} of the frames are damaged and could not be decoded completely.")
    if sentences:
        sentences.append("Upload a better copy if you have one.")
    return " ".join(sentences)


def _format_duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
