"""Find the cuts of a video by a rule over the features of its frames. Pure; memory does not grow with the video.

A hard cut is a frame that differs from the previous one much more than its neighbors differ from theirs (PySceneDetect's
AdaptiveDetector). A shot in motion hides the cut at its end from that rule; there, the two frames must also show different content.
Between stills of a second or more, such as slides, a small change suffices. None of these is a cut if the image comes back within half a
second (a flash), or shows the same content at another position (a jolt of the camera). `dissolves` and `fades` find gradual cuts.
"""

from collections import deque
from collections.abc import Sequence
from itertools import islice

from heimdex.media.dissolves import DissolveDetector
from heimdex.media.fades import BLANK_CONTRAST, FadeDetector, GradualCut
from heimdex.media.frames import FrameFeatures, correlate, has_returned, is_camera_move

# AdaptiveDetector's window and ratio (PySceneDetect 0.7). Its least change (`min_content_val`) is 15, of hue, saturation and value. Hue is
# noise in gray images, so we measure luma and color difference. A cut between two dark shots without contrast has a change of 5.
WINDOW = 2
MIN_RATIO = 3.0
MIN_CHANGE, MIN_MOTION_CUT_CHANGE = 4.0, 6.0
# Two frames whose miniatures correlate at most this much show different content.
MAX_CORRELATION = 0.4
# The change between still frames comes only from the encoder.
MAX_STILL_CHANGE = 0.5
STILL_S = 0.7
MIN_SLIDE_CHANGE = 2.0
# A flash ends within this time.
MAX_FLASH_S = 0.5
# Cuts older than this are final (seconds), unless a transition is still open.
DECISION_DELAY_S = 1.6


def is_hard_cut(changes: Sequence[float]) -> bool:
    """Return whether the middle one of five changes is that of a hard cut."""
    middle = changes[WINDOW]
    around = (sum(changes) - middle) / (len(changes) - 1)
    return middle >= MIN_CHANGE and middle >= MIN_RATIO * around


def is_cut_from_motion(changes: Sequence[float]) -> bool:
    """Return whether the middle one of five changes far exceeds those on one side: a cut to or from a shot in motion, or a jerk."""
    calm = min(sum(changes[:WINDOW]), sum(changes[-WINDOW:])) / WINDOW
    return changes[WINDOW] >= max(MIN_MOTION_CUT_CHANGE, MIN_RATIO * calm)


def show_different_content(first: FrameFeatures, second: FrameFeatures) -> bool:
    """Return whether two frames show different content, and neither of them is blank."""
    return min(first.contrast, second.contrast) > BLANK_CONTRAST and correlate(first, second) <= MAX_CORRELATION


def is_flash(before: Sequence[FrameFeatures], after: Sequence[FrameFeatures]) -> bool:
    """Return whether a jump between two stretches of frames is the start or the end of a flash."""
    last, first = before[-1], after[0]
    is_start = any(has_returned(last, first, frame) for frame in after[1:])
    return is_start or any(has_returned(first, last, frame) for frame in before[:-1])


class CutFinder:
    """Find cuts in consecutive frames. Cuts are returned in order, as soon as they are certain."""

    def __init__(self) -> None:
        self._frames: deque[FrameFeatures] = deque()
        self._dissolves = DissolveDetector()
        self._fades = FadeDetector()
        self._hard: list[float] = []
        self._gradual: list[GradualCut] = []
        # Already returned, but a hard cut inside may still be found.
        self._returned: list[GradualCut] = []
        # The index of the first frame that is not judged yet.
        self._next = 0

    def add(self, frame: FrameFeatures) -> list[float]:
        """Add the next frame and return the cuts that are certain now."""
        self._frames.append(frame)
        for cut in (self._fades.add(frame), self._dissolves.add(frame)):
            if cut:
                self._gradual.append(cut)
        self._judge(frame.time_s - max(MAX_FLASH_S, STILL_S))
        open_since = [since for since in (self._dissolves.open_since, self._fades.open_since) if since is not None]
        return self._take_decided(min([frame.time_s - DECISION_DELAY_S, *(since - DECISION_DELAY_S for since in open_since)]))

    def finish(self) -> list[float]:
        """Return the remaining cuts at the end of the video."""
        self._judge(float("inf"))
        if last := self._dissolves.close():
            self._gradual.append(last)
        return self._take_decided(float("inf"))

    def _judge(self, until_s: float) -> None:
        """Judge the frames that have enough others after them, and drop those that no later frame needs."""
        frames = self._frames
        while self._next < len(frames) - WINDOW and frames[self._next].time_s <= until_s:
            if self._next >= WINDOW and self._is_cut(self._next):
                self._hard.append(frames[self._next].time_s)
            self._next += 1
            while self._next > WINDOW + 1 and frames[self._next].time_s - frames[0].time_s > max(MAX_FLASH_S, STILL_S):
                frames.popleft()
                self._next -= 1

    def _is_cut(self, index: int) -> bool:
        frames = self._frames
        if frames[index].change < MIN_SLIDE_CHANGE:
            return False
        changes = [frame.change for frame in islice(frames, index - WINDOW, index + WINDOW + 1)]
        is_candidate = (
            is_hard_cut(changes)
            or (is_cut_from_motion(changes) and show_different_content(frames[index - 1], frames[index]))
            or self._is_slide(index)
        )
        if not is_candidate:
            return False
        time_s = frames[index].time_s
        before = [frame for frame in islice(frames, 0, index) if time_s - frame.time_s <= MAX_FLASH_S]
        after = [frame for frame in islice(frames, index, len(frames)) if frame.time_s - time_s <= MAX_FLASH_S]
        before = before or [frames[index - 1]]
        # A jolt blurs the frame in which it happens, so the frames on either side of it are compared too.
        pairs = ((index - 1, index), (index - 2, index + 1))
        return not is_flash(before, after) and not any(is_camera_move(frames[earlier].luma, frames[later].luma) for earlier, later in pairs)

    def _is_slide(self, index: int) -> bool:
        """Return whether a small change lies between two stretches without any motion."""
        time_s = self._frames[index].time_s
        others = [frame for other, frame in enumerate(self._frames) if other != index and abs(frame.time_s - time_s) <= STILL_S]
        return len(others) >= 2 and all(frame.change <= MAX_STILL_CHANGE for frame in others)

    def _take_decided(self, until_s: float) -> list[float]:
        """Remove and return the cuts before a time: the middles of gradual cuts, and the hard cuts outside of gradual ones."""
        if not (self._hard or self._gradual or self._returned):
            return []
        fades = [cut for cut in (*self._gradual, *self._returned) if cut.through_blank]
        self._gradual = [cut for cut in self._gradual if cut.through_blank or not any(cut.overlaps(fade) for fade in fades)]
        gradual = (*self._gradual, *self._returned)
        self._hard = [time_s for time_s in self._hard if not any(cut.start_s <= time_s <= cut.end_s for cut in gradual)]
        due = [cut for cut in self._gradual if cut.time_s < until_s]
        decided = sorted([*(time_s for time_s in self._hard if time_s < until_s), *(cut.time_s for cut in due)])
        self._hard = [time_s for time_s in self._hard if time_s >= until_s]
        self._gradual = [cut for cut in self._gradual if cut.time_s >= until_s]
        self._returned = [cut for cut in (*self._returned, *due) if cut.end_s >= until_s]
        return decided


class KnownCuts:
    """Return known cuts (seconds, in order) through the interface of CutFinder."""

    def __init__(self, cuts: Sequence[float]) -> None:
        self._remaining = deque(cuts)

    def add(self, frame: FrameFeatures) -> list[float]:
        """Return the cuts up to this frame."""
        due = []
        while self._remaining and self._remaining[0] <= frame.time_s:
            due.append(self._remaining.popleft())
        return due

    def finish(self) -> list[float]:
        """Return the remaining cuts at the end of the video."""
        return list(self._remaining)
