"""Generate videos with known cuts: every kind of cut, and every effect that could be mistaken for a cut."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np

from bench.shots import CALM, LIVELY, Frame, Motion, Shot, choose_shot, render_shot
from bench.slides import make_growing_slide, make_slide

Kind = Literal["hard", "dissolve", "fade"]


@dataclass(frozen=True)
class Join:
    """The transition between two shots: a hard cut, a dissolve, or a fade to a color, held for `hold_frames`, and back.

    `frames` is the length of a dissolve, or of each half of a fade.
    """

    kind: Kind = "hard"
    frames: int = 0
    hold_frames: int = 0
    color: int = 0


@dataclass(frozen=True)
class TrueCut:
    """A cut of the ground truth: its time in seconds (the middle of a gradual cut), and its kind."""

    time_s: float
    kind: Kind


@dataclass(frozen=True)
class CutVideo:
    """A video file and its ground truth."""

    name: str
    path: Path
    cuts: tuple[TrueCut, ...]
    duration_s: float
    fps: float
    # The longest duration of a frame.
    longest_frame_s: float


@dataclass(frozen=True)
class Script:
    """A video to generate: takes as frames, the transitions between them, and the encoding."""

    name: str
    takes: tuple[Callable[[], Iterator[Frame]], ...]
    joins: tuple[Join, ...]
    size: tuple[int, int] = (320, 180)
    fps: int = 25
    rotation: int = 0
    # Frames of different durations, as phones and screen recorders write them.
    uneven: bool = False
    flashes: bool = False
    crf: int = 26
    preset: str = "ultrafast"


def build_scripts(seed: int, seconds: float = 60.0, size: tuple[int, int] = (320, 180)) -> dict[str, Script]:
    """Return one script of about `seconds` per kind of video. Each seed gives other videos."""
    random = np.random.default_rng(seed)
    scripts = [
        _script_hard_cuts("hard", random, seconds, size, CALM),
        _script_hard_cuts("hard lively", random, seconds, size, (*CALM, "pan", "zoom")),
        replace(_script_hard_cuts("hard at 60 fps", random, seconds / 2, size, CALM, fps=60), crf=32),
        _script_hard_cuts("hard at 10 fps", random, seconds, size, CALM, fps=10),
        replace(_script_hard_cuts("variable rate", random, seconds, size, CALM), uneven=True),
        replace(_script_hard_cuts("turned phone", random, seconds, size, ("handheld",)), rotation=90),
        _script_slides(random, seconds, size),
        _script_gradual_cuts("dissolves", random, seconds, size, _choose_dissolve),
        _script_gradual_cuts("fades", random, seconds, size, _choose_fade),
        replace(_script_takes("flashes", random, seconds, size, CALM, 20.0), flashes=True),
        *(_script_takes(f"moves: {motion}", random, seconds / 2, size, (motion,), seconds / 4) for motion in LIVELY),
        _script_takes("one take", random, seconds, size, ("handheld",), seconds),
    ]
    return {script.name: script for script in scripts}


def generate_video(script: Script, path: Path) -> CutVideo:
    """Render a script to `path` as H.264 in MP4."""
    import av

    cuts: list[TrueCut] = []
    frame_times: list[Fraction] = []
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=script.fps, options={"preset": script.preset, "crf": str(script.crf)})
        stream.width, stream.height, stream.pix_fmt = *script.size, "yuv420p"
        # Fine enough for every frame rate and for uneven frames.
        stream.codec_context.time_base = Fraction(1, 1000 * script.fps)
        if script.rotation:
            stream.set_display_rotation(script.rotation)
        random = np.random.default_rng(5)
        time = Fraction(0)
        frames = _join_takes(script, lambda index, kind: cuts.append(TrueCut(float(index), kind)))
        for image in _add_flashes(frames, script.fps) if script.flashes else frames:
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = int(time * 1000 * script.fps), Fraction(1, 1000 * script.fps)
            frame_times.append(time)
            time += Fraction(int(random.integers(1, 4)) if script.uneven else 2, 2 * script.fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    true_cuts = tuple(replace(cut, time_s=_interpolate_time(frame_times, cut.time_s)) for cut in cuts)
    longest = (1.5 if script.uneven else 1.0) / script.fps
    return CutVideo(script.name, path, true_cuts, float(time), script.fps, longest)


def _interpolate_time(frame_times: Sequence[Fraction], index: float) -> float:
    before = int(index)
    after = min(before + 1, len(frame_times) - 1)
    return float(frame_times[before] + (frame_times[after] - frame_times[before]) * Fraction(index - before))


def _join_takes(script: Script, on_cut: Callable[[float, Kind], None]) -> Iterator[Frame]:
    """Yield the frames of all takes. Call `on_cut` with the index of the first frame after a hard cut, or of a gradual cut's middle."""
    written = 0
    tail: list[Frame] = []
    before: Join | None = None
    for take, after in zip(script.takes, [*script.joins, None], strict=True):
        keep = after.frames if after else 0
        frames = take()
        if before is not None:
            begin = [next(frames) for _ in range(before.frames)]
            bridge = _render_transition(before, tail, begin)
            on_cut(written + (len(bridge) - 1) / 2 if bridge else written, before.kind)
            yield from bridge
            written += len(bridge)
            tail = []
        for frame in frames:
            tail.append(frame)
            if len(tail) > keep:
                yield tail.pop(0)
                written += 1
        before = after
    yield from tail


def _render_transition(join: Join, tail: Sequence[Frame], begin: Sequence[Frame]) -> list[Frame]:
    shares = (np.arange(join.frames) + 1) / (join.frames + 1)
    if join.kind == "dissolve":
        return [_blend(old, new, share) for old, new, share in zip(tail, begin, shares, strict=True)]
    if join.kind == "fade":
        blank = np.full_like(tail[0], join.color)
        out = [_blend(old, blank, share) for old, share in zip(tail, shares, strict=True)]
        back = [_blend(blank, new, share) for new, share in zip(begin, shares, strict=True)]
        return [*out, *[blank] * join.hold_frames, *back]
    return []


def _blend(old: Frame, new: Frame, share: float) -> Frame:
    return np.asarray(old * (1 - share) + new * share, dtype=np.uint8)


def _add_flashes(frames: Iterator[Frame], fps: int) -> Iterator[Frame]:
    """Add a flash of one to four frames every two seconds: white, bright or black, at once or fading out."""
    random = np.random.default_rng(11)
    light: list[tuple[int, float]] = []
    for index, frame in enumerate(frames):
        if index % (2 * fps) == fps + int(fps * 0.37) % fps:
            color, strength = (255, float(random.uniform(0.5, 1.0))) if random.random() < 0.75 else (0, 1.0)
            fading = color == 255 and random.random() < 0.5
            length = int(random.integers(1, 5))
            light = [(color, strength * (1 - step / length if fading else 1)) for step in range(length)]
        if light:
            color, strength = light.pop(0)
            yield _blend(frame, np.full_like(frame, color), strength)
        else:
            yield frame


def _defer_rendering(shot: Shot, size: tuple[int, int], fps: int) -> Callable[[], Iterator[Frame]]:
    return lambda: render_shot(shot, size, fps)


def _choose_shots(random: np.random.Generator, lengths: Sequence[int], motions: Sequence[Motion]) -> list[Shot]:
    shots: list[Shot] = []
    for length in lengths:
        before = shots[-1].image if shots else ""
        shots.append(choose_shot(random, length, motions[int(random.integers(len(motions)))], unlike=before))
    return shots


def _script_hard_cuts(
    name: str, random: np.random.Generator, seconds: float, size: tuple[int, int], motions: Sequence[Motion], fps: int = 25
) -> Script:
    lengths = [int(fps * random.uniform(1.3, 4.0)) for _ in range(round(seconds / 2.65))]
    shots = _choose_shots(random, lengths, motions)
    return Script(name, tuple(_defer_rendering(shot, size, fps) for shot in shots), (Join(),) * (len(shots) - 1), size, fps)


def _script_gradual_cuts(
    name: str, random: np.random.Generator, seconds: float, size: tuple[int, int], join: Callable[[np.random.Generator], Join]
) -> Script:
    shots = _choose_shots(random, [int(25 * random.uniform(4.0, 6.0)) for _ in range(round(seconds / 5))], CALM)
    return Script(name, tuple(_defer_rendering(shot, size, 25) for shot in shots), tuple(join(random) for _ in shots[1:]), size)


def _choose_dissolve(random: np.random.Generator) -> Join:
    return Join("dissolve", int(25 * random.uniform(0.4, 1.6)))


def _choose_fade(random: np.random.Generator) -> Join:
    color = 255 if random.random() < 0.25 else 0
    return Join("fade", int(25 * random.uniform(0.3, 1.0)), hold_frames=int(25 * random.uniform(0, 0.6)), color=color)


def _script_takes(
    name: str, random: np.random.Generator, seconds: float, size: tuple[int, int], motions: Sequence[Motion], each_s: float
) -> Script:
    shots = _choose_shots(random, [int(25 * each_s)] * round(seconds / each_s), motions)
    return Script(name, tuple(_defer_rendering(shot, size, 25) for shot in shots), (Join(),) * (len(shots) - 1), size)


def _script_slides(random: np.random.Generator, seconds: float, size: tuple[int, int]) -> Script:
    """Write a script of slides that stay for seconds, some of which gain a line, with photographs between them."""
    takes: list[Callable[[], Iterator[Frame]]] = []
    for number in range(round(seconds / 5)):
        length = int(25 * random.uniform(3, 7))
        seed = int(random.integers(1 << 30))
        if number % 4 == 3:
            takes.append(_defer_rendering(choose_shot(random, length, "still"), size, 25))
        else:
            takes.append((make_growing_slide if number % 2 else make_slide)(seed, size, length))
    joins = tuple(Join("dissolve", 12) if random.random() < 0.25 else Join() for _ in takes[1:])
    return Script("slides", tuple(takes), joins, size)
