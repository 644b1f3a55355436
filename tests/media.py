"""Small test videos of known content, built once and kept under `.cache/` until this file changes."""

import fcntl
import hashlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

CACHE = Path(__file__).resolve().parent.parent / ".cache" / "media"
FPS = 25
RATE = 16_000


def build_cached(name: str, build: Callable[[Path], object]) -> Path:
    """Return a file; build it if this version of the sources has not built it yet."""
    sources = Path(__file__).read_bytes() + (Path(__file__).parent.parent / "demo" / "film.py").read_bytes()
    folder = CACHE / hashlib.sha256(sources).hexdigest()[:16]
    path = folder / name
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        # The suite runs in two processes; the second waits for the first one's file.
        with (folder / f".{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not path.exists():
                scratch = folder / f".{name}"
                build(scratch)
                scratch.replace(path)
    return path


def make_sound(kind: str, seconds: float, rate: int = RATE) -> NDArray[np.float32]:
    """Make mono sound without speech: `silence`, `noise`, `tone` or `music` (plucked chords)."""
    moments = np.arange(int(seconds * rate)) / rate
    if kind == "silence":
        samples = np.zeros(moments.size)
    elif kind == "noise":
        samples = np.random.default_rng(7).normal(0, 0.1, moments.size)
    elif kind == "tone":
        samples = 0.3 * np.sin(2 * np.pi * 440 * moments)
    elif kind == "music":
        chords = np.array([[261.6, 329.6, 392.0], [220.0, 277.2, 329.6], [174.6, 220.0, 261.6], [196.0, 246.9, 293.7]])
        beat = (moments * 2).astype(int)
        pluck = np.exp(-4 * ((moments * 2) % 1))
        samples = sum(0.15 * pluck * np.sin(2 * np.pi * chords[beat % 4, voice] * moments) for voice in range(3))
    else:
        raise ValueError(kind)
    return np.asarray(samples, dtype=np.float32)


def make_pattern(seed: int, width: int, height: int) -> NDArray[np.uint8]:
    """Make a colorful image with edges, a different one for each seed."""
    random = np.random.default_rng(seed)
    tiles = random.integers(30, 226, (6, 8, 3), dtype=np.uint8)
    return np.repeat(np.repeat(tiles, -(-height // 6), axis=0), -(-width // 8), axis=1)[:height, :width]


def write_video(
    path: Path, shots: list[int], *, size: tuple[int, int] = (320, 240), audio: NDArray[np.float32] | None = None, rotation: int = 0
) -> None:
    """Write an MP4 whose shots have these numbers of frames, each shot a pattern that drifts slowly."""
    with av.open(str(path), "w", format="mp4") as container:
        video = container.add_stream("libx264", rate=FPS, options={"preset": "ultrafast", "crf": "20"})
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        if rotation:
            video.set_display_rotation(rotation)
        track = container.add_stream("aac", rate=RATE, layout="mono") if audio is not None else None
        number = 0
        for seed, frames in enumerate(shots):
            image = make_pattern(seed, *size)
            for step in range(frames):
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(np.roll(image, step // 3, axis=1)), format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, FPS)
                number += 1
                container.mux(video.encode(frame))
        if track is not None and audio is not None:
            _mux_audio(container, track, audio)
        container.mux(video.encode(None))


def write_audio_only(path: Path) -> None:
    """Write an M4A with a tone and no video."""
    with av.open(str(path), "w", format="mp4") as container:
        _mux_audio(container, container.add_stream("aac", rate=RATE, layout="mono"), make_sound("tone", 1))


def _mux_audio(container: av.container.OutputContainer, track: av.AudioStream, samples: NDArray[np.float32]) -> None:
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="flt", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
    container.mux(track.encode(frame))
    container.mux(track.encode(None))


def build_video(shots: tuple[int, ...] = (50,), *, audio: str = "", rotation: int = 0) -> Path:
    """Return a small video of these shots, with `silence`, `noise`, `tone`, `music` or no sound."""
    samples = make_sound(audio, sum(shots) / FPS) if audio else None
    name = f"{'-'.join(map(str, shots))}{audio}{rotation}.mp4"
    return build_cached(name, lambda path: write_video(path, list(shots), audio=samples, rotation=rotation))


def build_truncated() -> Path:
    """Return an MP4 whose index (moov) was cut off."""
    return build_cached("truncated.mp4", lambda path: path.write_bytes(build_video((50,), audio="tone").read_bytes()[:4000]))


def build_audio_only() -> Path:
    """Return an MP4 without video."""
    return build_cached("audio-only.mp4", write_audio_only)


def build_text_named_mp4() -> Path:
    """Return a text file that is named like a video."""
    return build_cached("text.mp4", lambda path: path.write_text("This is no video.\n" * 50))


def build_empty() -> Path:
    """Return a file of zero bytes."""
    return build_cached("empty.mp4", lambda path: path.write_bytes(b""))


def build_still_image(suffix: str = "png") -> Path:
    """Return an image that is named like a video."""
    from PIL import Image

    kind = {"png": "PNG", "jpg": "JPEG"}[suffix]
    return build_cached(f"image-{suffix}.mp4", lambda path: Image.fromarray(make_pattern(1, 320, 240)).save(path, kind))


def build_demo_video() -> Path:
    """Return the demo video."""
    from demo.film import build_demo_film

    return build_cached("demo.mp4", build_demo_film)
