"""Cutting a video into scenes with pictures of each, in one decoding pass with flat memory."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from heimdex.media.container import opened, timed_frames, video_stream
from heimdex.media.cuts import CutFinder, KnownCuts
from heimdex.media.damage import Decoded, Losses
from heimdex.media.frame_rows import RowMaker
from heimdex.media.info import MediaInfo, accepted
from heimdex.media.keyframes import CandidateFrames, Keyframe, candidate, chosen, developed
from heimdex.media.reduced import reduced
from heimdex.media.scene_lengths import LONGEST_S, SceneLengths
from heimdex.media.timeline import Picture, Tiles

Progress = Callable[[float], None]


@dataclass(frozen=True)
class SceneSpan:
    """A stretch between two cuts, in seconds from the first frame."""

    start_s: float
    end_s: float


@dataclass(frozen=True)
class DetectedScene:
    """A scene, the pictures that stand for it, those of the timeline that were taken until it was known, and what was decoded until then.

    The first keyframe represents the scene; there is none when not one frame of it could be kept.
    """

    span: SceneSpan
    keyframes: tuple[Keyframe, ...]
    tiles: tuple[Picture, ...] = ()
    decoded: Decoded = field(default_factory=Decoded)


def iter_scenes(
    path: Path,
    info: MediaInfo,
    longest_s: float = LONGEST_S,
    cuts: Sequence[float] | None = None,
    on_progress: Progress | None = None,
) -> Iterator[DetectedScene]:
    """Yield each scene as soon as its end is certain; memory does not grow with the video's length.

    Without `cuts` (seconds, in order) they are found by the rule of `heimdex.media.cuts`. No scene is shorter than a second (unless the
    video is) or longer than `longest_s`. `on_progress` gets the share done, 0 to 1.
    """
    import cv2

    # Starting threads for small pictures takes longer than the work, and the decoder has use for every core.
    cv2.setNumThreads(1)
    rows, lengths = RowMaker(), SceneLengths(longest_s)
    finder = CutFinder() if cuts is None else KnownCuts(cuts)
    candidates, due = CandidateFrames(), Tiles(info.duration_s, info.rotation)
    tiles: list[Picture] = []
    begin_s = last_s = 0.0
    limits, losses = accepted(info), Losses(info.fps, info.start_s)
    with opened(path, limits) as container:
        for number, (time_s, frame) in enumerate(timed_frames(container, video_stream(container, limits), info, losses)):
            last_s = time_s
            small = reduced(frame)
            row = rows.row(time_s, small)
            tiles += due.take(time_s, small)
            if candidates.wants(time_s):
                candidates.add(candidate(frame, small, time_s))
            for border in lengths.add(time_s, row.change, finder.add(row)):
                yield _finished(SceneSpan(begin_s, border), candidates, info, tiles, losses)
                begin_s, tiles = border, []
            if on_progress and number % 25 == 0:
                on_progress(min(1.0, time_s / info.duration_s))
    end_s = max(info.duration_s, last_s)
    for border in [*lengths.finish(end_s, finder.finish()), end_s]:
        yield _finished(SceneSpan(begin_s, border), candidates, info, tiles, losses)
        begin_s, tiles = border, []
    if on_progress:
        on_progress(1.0)


def _finished(span: SceneSpan, candidates: CandidateFrames, info: MediaInfo, tiles: list[Picture], losses: Losses) -> DetectedScene:
    frames = chosen(candidates.split(span.end_s), span.end_s - span.start_s)
    made = (developed(frame, info.rotation) for frame in frames)
    return DetectedScene(span, tuple(keyframe for keyframe in made if keyframe), tuple(tiles), losses.taken())
