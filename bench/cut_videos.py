"""Videos whose cuts are known because we made them, of every kind that cuts and their impostors come in."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np

from bench.shots import CALM, LIVELY, Motion, Picture, Shot, film, random_shot
from bench.slides import bullets, slide

Kind = Literal["hard", "dissolve", "fade"]


@dataclass(frozen=True)
class Join:
    """How two shots meet: a hard cut, a dissolve over some frames, or a fade of so many frames to a colour, held, and back."""

    kind: Kind = "hard"
    frames: int = 0
    held: int = 0
    colour: int = 0


@dataclass(frozen=True)
class TrueCut:
    """A cut as it was made: when (for gradual ones, the middle), and how."""

    time_s: float
    kind: Kind


@dataclass(frozen=True)
class CutVideo:
    """A file and the truth about it."""

    name: str
    path: Path
    cuts: tuple[TrueCut, ...]
    duration_s: float
    fps: float
    # The longest that a frame stands.
    longest_frame_s: float


@dataclass(frozen=True)
class Script:
    """What is to be filmed: takes as frames, what joins them, and how the file is made."""

    name: str
    takes: tuple[Callable[[], Iterator[Picture]], ...]
    joins: tuple[Join, ...]
    size: tuple[int, int] = (320, 180)
    fps: int = 25
    rotation: int = 0
    # Some frames stand longer than others, as phones and screen recorders write them.
    uneven: bool = False
    flashes: bool = False
    crf: int = 26
    preset: str = "ultrafast"


def scripts(seed: int, seconds: float = 60.0, size: tuple[int, int] = (320, 180)) -> dict[str, Script]:
    """Return a film of about so many seconds of each kind, another one for each seed."""
    random = np.random.default_rng(seed)
    made = [
        _hard("hard", random, seconds, size, CALM),
        _hard("hard lively", random, seconds, size, (*CALM, "pan", "zoom")),
        replace(_hard("hard at 60 fps", random, seconds / 2, size, CALM, fps=60), crf=32),
        _hard("hard at 10 fps", random, seconds, size, CALM, fps=10),
        replace(_hard("variable rate", random, seconds, size, CALM), uneven=True),
        replace(_hard("turned phone", random, seconds, size, ("handheld",)), rotation=90),
        _slides(random, seconds, size),
        _gradual("dissolves", random, seconds, size, _dissolve),
        _gradual("fades", random, seconds, size, _fade),
        replace(_takes("flashes", random, seconds, size, CALM, 20.0), flashes=True),
        *(_takes(f"moves: {motion}", random, seconds / 2, size, (motion,), seconds / 4) for motion in LIVELY),
        _takes("one take", random, seconds, size, ("handheld",), seconds),
    ]
    return {script.name: script for script in made}


def make(script: Script, path: Path) -> CutVideo:
    """Film a script at `path` as H.264 in MP4."""
    import av

    cuts: list[TrueCut] = []
    moments: list[Fraction] = []
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=script.fps, options={"preset": script.preset, "crf": str(script.crf)})
        stream.width, stream.height, stream.pix_fmt = *script.size, "yuv420p"
        # Fine enough for any rate and for frames that do not keep it.
        stream.codec_context.time_base = Fraction(1, 1000 * script.fps)
        if script.rotation:
            stream.set_display_rotation(script.rotation)
        random = np.random.default_rng(5)
        now = Fraction(0)
        frames = _joined(script, lambda index, kind: cuts.append(TrueCut(float(index), kind)))
        for picture in _flashed(frames, script.fps) if script.flashes else frames:
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = int(now * 1000 * script.fps), Fraction(1, 1000 * script.fps)
            moments.append(now)
            now += Fraction(int(random.integers(1, 4)) if script.uneven else 2, 2 * script.fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    known = tuple(replace(cut, time_s=_at(moments, cut.time_s)) for cut in cuts)
    longest = (1.5 if script.uneven else 1.0) / script.fps
    return CutVideo(script.name, path, known, float(now), script.fps, longest)


def _at(moments: Sequence[Fraction], index: float) -> float:
    before = int(index)
    after = min(before + 1, len(moments) - 1)
    return float(moments[before] + (moments[after] - moments[before]) * Fraction(index - before))


def _joined(script: Script, cut: Callable[[float, Kind], None]) -> Iterator[Picture]:
    """Yield the frames of all takes; `cut` gets the number of the first frame after a hard cut, or of a gradual one's middle."""
    written = 0
    tail: list[Picture] = []
    before: Join | None = None
    for take, after in zip(script.takes, [*script.joins, None], strict=True):
        keep = after.frames if after else 0
        frames = take()
        if before is not None:
            begin = [next(frames) for _ in range(before.frames)]
            bridge = _bridge(before, tail, begin)
            cut(written + (len(bridge) - 1) / 2 if bridge else written, before.kind)
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


def _bridge(join: Join, tail: Sequence[Picture], begin: Sequence[Picture]) -> list[Picture]:
    shares = (np.arange(join.frames) + 1) / (join.frames + 1)
    if join.kind == "dissolve":
        return [_mixed(old, new, share) for old, new, share in zip(tail, begin, shares, strict=True)]
    if join.kind == "fade":
        blank = np.full_like(tail[0], join.colour)
        out = [_mixed(old, blank, share) for old, share in zip(tail, shares, strict=True)]
        back = [_mixed(blank, new, share) for new, share in zip(begin, shares, strict=True)]
        return [*out, *[blank] * join.held, *back]
    return []


def _mixed(old: Picture, new: Picture, share: float) -> Picture:
    return np.asarray(old * (1 - share) + new * share, dtype=np.uint8)


def _flashed(frames: Iterator[Picture], fps: int) -> Iterator[Picture]:
    """Light up one to four frames every two seconds: white, bright, or dropped to black, at once or fading away."""
    random = np.random.default_rng(11)
    light: list[tuple[int, float]] = []
    for index, frame in enumerate(frames):
        if index % (2 * fps) == fps + int(fps * 0.37) % fps:
            colour, strength = (255, float(random.uniform(0.5, 1.0))) if random.random() < 0.75 else (0, 1.0)
            fading = colour == 255 and random.random() < 0.5
            length = int(random.integers(1, 5))
            light = [(colour, strength * (1 - step / length if fading else 1)) for step in range(length)]
        if light:
            colour, strength = light.pop(0)
            yield _mixed(frame, np.full_like(frame, colour), strength)
        else:
            yield frame


def _filming(shot: Shot, size: tuple[int, int], fps: int) -> Callable[[], Iterator[Picture]]:
    return lambda: film(shot, size, fps)


def _shots(random: np.random.Generator, lengths: Sequence[int], motions: Sequence[Motion]) -> list[Shot]:
    shots: list[Shot] = []
    for length in lengths:
        before = shots[-1].picture if shots else ""
        shots.append(random_shot(random, length, motions[int(random.integers(len(motions)))], unlike=before))
    return shots


def _hard(
    name: str, random: np.random.Generator, seconds: float, size: tuple[int, int], motions: Sequence[Motion], fps: int = 25
) -> Script:
    lengths = [int(fps * random.uniform(1.3, 4.0)) for _ in range(round(seconds / 2.65))]
    shots = _shots(random, lengths, motions)
    return Script(name, tuple(_filming(shot, size, fps) for shot in shots), (Join(),) * (len(shots) - 1), size, fps)


def _gradual(
    name: str, random: np.random.Generator, seconds: float, size: tuple[int, int], join: Callable[[np.random.Generator], Join]
) -> Script:
    shots = _shots(random, [int(25 * random.uniform(4.0, 6.0)) for _ in range(round(seconds / 5))], CALM)
    return Script(name, tuple(_filming(shot, size, 25) for shot in shots), tuple(join(random) for _ in shots[1:]), size)


def _dissolve(random: np.random.Generator) -> Join:
    return Join("dissolve", int(25 * random.uniform(0.4, 1.6)))


def _fade(random: np.random.Generator) -> Join:
    colour = 255 if random.random() < 0.25 else 0
    return Join("fade", int(25 * random.uniform(0.3, 1.0)), held=int(25 * random.uniform(0, 0.6)), colour=colour)


def _takes(
    name: str, random: np.random.Generator, seconds: float, size: tuple[int, int], motions: Sequence[Motion], each_s: float
) -> Script:
    shots = _shots(random, [int(25 * each_s)] * round(seconds / each_s), motions)
    return Script(name, tuple(_filming(shot, size, 25) for shot in shots), (Join(),) * (len(shots) - 1), size)


def _slides(random: np.random.Generator, seconds: float, size: tuple[int, int]) -> Script:
    """Pages of text that stand for seconds, some of which gain a line while they stand, with photographs between them."""
    takes: list[Callable[[], Iterator[Picture]]] = []
    for number in range(round(seconds / 5)):
        length = int(25 * random.uniform(3, 7))
        seed = int(random.integers(1 << 30))
        if number % 4 == 3:
            takes.append(_filming(random_shot(random, length, "still"), size, 25))
        else:
            takes.append((bullets if number % 2 else slide)(seed, size, length))
    joins = tuple(Join("dissolve", 12) if random.random() < 0.25 else Join() for _ in takes[1:])
    return Script("slides", tuple(takes), joins, size)
