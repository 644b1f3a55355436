"""Cutting a video into scenes and picking a keyframe of each, in one decoding pass with flat memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from heimdex.media.container import frames_of, opened, video_stream
from heimdex.media.info import MediaInfo, MediaLimits
from heimdex.media.keyframes import Candidate, CandidateFrames, Keyframe, best, upright

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

SHORTEST_SCENE_S = 1.0
# Cuts are looked for in pictures of this width; they are as visible there, at a twentieth of the work.
DETECTION_WIDTH = 256
KEYFRAME_SIDE = 1280
_MILLISECONDS = Fraction(1, 1000)

Progress = Callable[[float], None]


@dataclass(frozen=True)
class SceneSpan:
    """A stretch between two cuts, in seconds from the first frame."""

    start_s: float
    end_s: float


@dataclass(frozen=True)
class DetectedScene:
    """A scene and the picture that stands for it; none when not one frame of it could be kept."""

    span: SceneSpan
    keyframe: Keyframe | None


def detect_scenes(path: Path, info: MediaInfo, on_progress: Progress | None = None) -> list[SceneSpan]:
    """Return the scenes of a video: at least one, without gaps, from 0 to the whole duration."""
    return [scene.span for scene in iter_scenes(path, info, on_progress)]


def analyse_video(path: Path, info: MediaInfo, on_progress: Progress | None = None) -> tuple[list[SceneSpan], list[Keyframe | None]]:
    """Return the scenes and the keyframe of each; holds all pictures at once, so long videos are better read with `iter_scenes`."""
    scenes = list(iter_scenes(path, info, on_progress))
    return [scene.span for scene in scenes], [scene.keyframe for scene in scenes]


def iter_scenes(path: Path, info: MediaInfo, on_progress: Progress | None = None) -> Iterator[DetectedScene]:
    """Yield each scene as soon as its end is known; memory does not grow with the video's length.

    Cuts come from PySceneDetect's AdaptiveDetector. No scene is shorter than a second (unless the video is). `on_progress` gets
    the share done, 0 to 1.
    """
    from scenedetect.common import FrameTimecode, Timecode
    from scenedetect.detectors import AdaptiveDetector

    # Half a frame less: a scene of exactly one second must not be lost to the rounding of timestamps.
    detector: Any = AdaptiveDetector(min_scene_len=SHORTEST_SCENE_S - 0.5 / max(info.fps, 1.0))
    rate = Fraction(info.fps).limit_denominator(100_000) or Fraction(1)
    candidates = CandidateFrames()
    start_s = last_s = 0.0
    cut_s: float | None = None
    limits = MediaLimits(max_duration_s=info.duration_s)
    with opened(path, limits) as container:
        for number, frame in enumerate(frames_of(container, video_stream(container, limits))):
            time_s = max(0.0, float(frame.time) - info.start_s) if frame.time is not None else last_s + 1 / info.fps
            last_s = time_s
            small = _small(frame)
            moment = FrameTimecode(Timecode(round(time_s * 1000), _MILLISECONDS), fps=rate)
            found = detector.process_frame(moment, small)
            if found:
                cut_s = found[0].seconds
            if candidates.wants(time_s):
                candidates.add(_candidate(frame, small, time_s))
            # A cut counts once the scene after it has lasted long enough to be one.
            if cut_s is not None and time_s - cut_s >= SHORTEST_SCENE_S - 1.5 / info.fps:
                yield _finished(SceneSpan(start_s, cut_s), candidates.split(cut_s), info)
                start_s, cut_s = cut_s, None
            if on_progress and number % 25 == 0:
                on_progress(min(1.0, time_s / info.duration_s))
    yield _finished(SceneSpan(start_s, max(info.duration_s, last_s)), candidates.split(float("inf")), info)
    if on_progress:
        on_progress(1.0)


def _finished(span: SceneSpan, candidates: list[Candidate], info: MediaInfo) -> DetectedScene:
    chosen = best(candidates)
    return DetectedScene(span, upright(chosen, info.rotation) if chosen else None)


def _small(frame: "VideoFrame") -> NDArray[np.uint8]:
    height = max(2, round(frame.height * DETECTION_WIDTH / frame.width)) if frame.width > DETECTION_WIDTH else frame.height
    # One thread: starting more for each small picture takes longer than scaling it (measured: 1.8 s against 3.5 s for 971 frames).
    small = frame.reformat(min(frame.width, DETECTION_WIDTH), height, "bgr24", interpolation="AREA", threads=1)
    return np.asarray(small.to_ndarray(), dtype=np.uint8)


def _candidate(frame: "VideoFrame", small: NDArray[np.uint8], time_s: float) -> Candidate:
    import cv2

    grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
    shrink = min(1.0, KEYFRAME_SIDE / max(frame.width, frame.height))
    width, height = max(1, round(frame.width * shrink)), max(1, round(frame.height * shrink))
    return Candidate(
        time_s=time_s,
        sharpness=float(cv2.Laplacian(grey, cv2.CV_32F).var()),
        brightness=float(grey.mean()),
        miniature=cv2.resize(grey, (16, 9), interpolation=cv2.INTER_AREA).astype(np.float32),
        picture=np.asarray(frame.reformat(width, height, "rgb24", interpolation="AREA").to_ndarray(), dtype=np.uint8),
    )
