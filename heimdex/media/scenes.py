"""Divide a video into scenes with keyframes, in one decoding pass with constant memory."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from heimdex.media.container import find_video_stream, iter_timed_frames, load_pyav, open_video
from heimdex.media.cuts import CutFinder, KnownCuts
from heimdex.media.damage import DecodingStats, LossCounter
from heimdex.media.frames import FeatureExtractor, downscale_frame
from heimdex.media.info import MediaInfo, derive_limits
from heimdex.media.keyframes import CandidateFrames, Keyframe, encode_keyframe, make_candidate, select_keyframes
from heimdex.media.scene_lengths import LONGEST_S, SceneLengthLimiter
from heimdex.media.timeline import Tile, TileSampler

Progress = Callable[[float], None]


@dataclass(frozen=True)
class SceneSpan:
    """A stretch between two cuts, in seconds from the first frame."""

    start_s: float
    end_s: float


@dataclass(frozen=True)
class DetectedScene:
    """A scene with its keyframes, and the timeline tiles and decoding statistics since the previous scene.

    The first keyframe represents the scene. There is none when no frame of the scene could be kept.
    """

    span: SceneSpan
    keyframes: tuple[Keyframe, ...]
    tiles: tuple[Tile, ...] = ()
    decoded: DecodingStats = field(default_factory=DecodingStats)


def load_libraries() -> None:
    """Import what decoding needs, while a sandboxed process can still open files."""
    load_pyav()
    import cv2  # noqa: F401

    # np.median imports it when it is first called.
    import numpy.ma  # noqa: F401


def iter_scenes(
    path: Path,
    info: MediaInfo,
    longest_s: float = LONGEST_S,
    cuts: Sequence[float] | None = None,
    on_progress: Progress | None = None,
) -> Iterator[DetectedScene]:
    """Yield each scene as soon as its end is certain. Memory does not grow with the length of the video.

    Without `cuts` (seconds, in order), the rule of `heimdex.media.cuts` finds them. No scene is shorter than a second (unless the video
    is) or longer than `longest_s`. `on_progress` gets the share done, 0 to 1.
    """
    import cv2

    # Starting threads for small images takes longer than the work, and the decoder uses every core.
    cv2.setNumThreads(1)
    extractor, lengths = FeatureExtractor(), SceneLengthLimiter(longest_s)
    finder = CutFinder() if cuts is None else KnownCuts(cuts)
    candidates, sampler = CandidateFrames(), TileSampler(info.duration_s, info.rotation)
    tiles: list[Tile] = []
    start_s = last_s = 0.0
    limits, losses = derive_limits(info), LossCounter(info.fps, info.start_s)
    with open_video(path, limits) as container:
        for number, (time_s, frame) in enumerate(iter_timed_frames(container, find_video_stream(container, limits), info, losses)):
            last_s = time_s
            small = downscale_frame(frame)
            features = extractor.extract(time_s, small)
            tiles += sampler.take(time_s, small)
            if candidates.needs_frame(time_s):
                candidates.add(make_candidate(frame, small, time_s))
            for boundary in lengths.add(time_s, features.change, finder.add(features)):
                yield _finish_scene(SceneSpan(start_s, boundary), candidates, info, tiles, losses)
                start_s, tiles = boundary, []
            if on_progress and number % 25 == 0:
                on_progress(min(1.0, time_s / info.duration_s))
    end_s = max(info.duration_s, last_s)
    for boundary in [*lengths.finish(end_s, finder.finish()), end_s]:
        yield _finish_scene(SceneSpan(start_s, boundary), candidates, info, tiles, losses)
        start_s, tiles = boundary, []
    if on_progress:
        on_progress(1.0)


def _finish_scene(span: SceneSpan, candidates: CandidateFrames, info: MediaInfo, tiles: list[Tile], losses: LossCounter) -> DetectedScene:
    selected = select_keyframes(candidates.take_before(span.end_s), span.end_s - span.start_s)
    keyframes = (encode_keyframe(candidate, info.rotation) for candidate in selected)
    return DetectedScene(span, tuple(keyframe for keyframe in keyframes if keyframe), tuple(tiles), losses.take_stats())
