"""Build the demo film from free images and recordings, so that its cuts and words are known."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.video.stream import VideoStream

ASSETS = Path(__file__).parent / "assets"
WIDTH, HEIGHT, FPS = 1280, 720, 25
SAMPLE_RATE = 48_000
# Speech begins this long after a cut, and ends at least this long before the next cut.
_MARGIN_S = 0.6
_TONE_HZ, _TONE_LEVEL = 220.0, 0.05


@dataclass(frozen=True)
class Shot:
    """A scene to film: an image, the first and last view of the camera (x, y, width as shares of the image), and the sound."""

    image: str
    begins: tuple[float, float, float]
    ends: tuple[float, float, float]
    speech: str = ""
    tone: bool = False
    seconds: float = 4.0


@dataclass(frozen=True)
class DemoScene:
    """A scene with its times in seconds. `words` is the speech, in lower case without punctuation."""

    start_s: float
    end_s: float
    image: str
    words: str


@dataclass(frozen=True)
class DemoFilm:
    """The film, and its scenes as ground truth."""

    path: Path
    scenes: tuple[DemoScene, ...]


SHOTS = (
    Shot("astronaut.jpg", (0.0, 0.04, 1.0), (0.0, 0.05, 0.75), speech="sense_and_sensibility_0870.flac"),
    Shot("coffee.jpg", (0.0, 0.05, 1.0), (0.1, 0.05, 0.85), speech="sense_and_sensibility_0880.flac"),
    Shot("chelsea.jpg", (0.0, 0.0, 0.9), (0.1, 0.05, 0.9), speech="sense_and_sensibility_0890.flac"),
    Shot("rocket.jpg", (0.0, 0.1, 1.0), (0.1, 0.15, 0.8)),
    Shot("camera.jpg", (0.0, 0.08, 1.0), (0.05, 0.1, 0.9), speech="sense_and_sensibility_0920.flac"),
    Shot("hubble_deep_field.jpg", (0.0, 0.0, 0.8), (0.2, 0.2, 0.8), tone=True),
    Shot("astronaut.jpg", (0.1, 0.02, 0.62), (0.16, 0.04, 0.56), speech="sense_and_sensibility_0930.flac"),
    Shot("grace_hopper.jpg", (0.0, 0.11, 1.0), (0.08, 0.14, 0.88)),
)


def build_demo_film(path: Path) -> DemoFilm:
    """Build the demo video at `path`: 1280 × 720, 25 frames per second, H.264 and AAC in MP4.

    The same machine always builds the same file. The file appears at `path` only when it is complete.
    """
    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.stem}.{secrets.token_hex(4)}.mp4")
    lengths = [_count_frames(shot) for shot in SHOTS]
    starts = [sum(lengths[:index]) / FPS for index in range(len(SHOTS) + 1)]
    try:
        with av.open(str(scratch), "w", options={"movflags": "+faststart"}) as container:
            video = container.add_stream("libx264", rate=FPS, options={"preset": "veryfast", "crf": "23", "threads": "2"})
            video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            audio = container.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
            audio.bit_rate = 96_000
            for first, length, shot in zip(starts, lengths, SHOTS, strict=False):
                _encode_video(container, video, shot, round(first * FPS), length)
                _encode_audio(container, audio, _build_samples(shot, length), round(first * SAMPLE_RATE))
            container.mux(video.encode(None))
            container.mux(audio.encode(None))
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)
    return DemoFilm(path, list_film_scenes())


def list_film_scenes() -> tuple[DemoScene, ...]:
    """Return the ground truth of the film: start, end, image and speech of each scene."""
    texts = load_reference_texts()
    ends = [frames / FPS for frames in accumulate(_count_frames(shot) for shot in SHOTS)]
    return tuple(
        DemoScene(start, end, shot.image, texts.get(shot.speech, "")) for shot, start, end in zip(SHOTS, [0.0, *ends], ends, strict=False)
    )


def load_reference_texts() -> dict[str, str]:
    """Return the transcript of each recording by file name."""
    lines = (ASSETS / "speech.tsv").read_text(encoding="utf-8").splitlines()
    return dict(line.split("\t", 1) for line in lines)


def decode_speech(name: str, rate: int) -> NDArray[np.float32]:
    """Decode a recording to mono float32 samples at `rate` Hz."""
    import av

    resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
    blocks = []
    with av.open(str(ASSETS / name)) as container:
        for frame in [*container.decode(audio=0), None]:
            blocks += [np.asarray(part.to_ndarray(), dtype=np.float32).reshape(-1) for part in resampler.resample(frame)]
    return np.concatenate(blocks)


def _count_frames(shot: Shot) -> int:
    seconds = decode_speech(shot.speech, SAMPLE_RATE).size / SAMPLE_RATE + 2 * _MARGIN_S if shot.speech else shot.seconds
    return int(np.ceil(seconds * FPS))


def _build_samples(shot: Shot, frames: int) -> NDArray[np.float32]:
    samples = np.zeros(frames * SAMPLE_RATE // FPS, dtype=np.float32)
    if shot.speech:
        speech = decode_speech(shot.speech, SAMPLE_RATE)
        first = int(_MARGIN_S * SAMPLE_RATE)
        samples[first : first + speech.size] = speech
    if shot.tone:
        progress = np.arange(samples.size) / samples.size
        samples += (_TONE_LEVEL * np.sin(np.pi * progress) * np.sin(2 * np.pi * _TONE_HZ * np.arange(samples.size) / SAMPLE_RATE)).astype(
            "f4"
        )
    return samples


def _encode_video(container: "OutputContainer", stream: "VideoStream", shot: Shot, first: int, frames: int) -> None:
    import av

    for index, view in enumerate(_render_views(shot, frames)):
        frame = av.VideoFrame.from_ndarray(view, format="rgb24")
        frame.pts, frame.time_base = first + index, Fraction(1, FPS)
        container.mux(stream.encode(frame))


def _render_views(shot: Shot, frames: int) -> Iterator[NDArray[np.uint8]]:
    """Yield the frames while the camera moves over the image at constant speed."""
    import cv2
    from PIL import Image

    with Image.open(ASSETS / shot.image) as file:
        image = np.asarray(file.convert("RGB"))
    height, width = image.shape[:2]
    for share in np.linspace(0.0, 1.0, frames):
        x, y, across = (begin + (end - begin) * share for begin, end in zip(shot.begins, shot.ends, strict=True))
        scale = across * width / WIDTH
        top = min(y * height, height - HEIGHT * scale)
        transform = np.array([[scale, 0, x * width], [0, scale, max(0.0, top)]], dtype=np.float64)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        yield np.asarray(cv2.warpAffine(image, transform, (WIDTH, HEIGHT), flags=flags, borderMode=cv2.BORDER_REFLECT), dtype=np.uint8)


def _encode_audio(container: "OutputContainer", stream: "AudioStream", samples: NDArray[np.float32], first: int) -> None:
    import av

    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="flt", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, first, Fraction(1, SAMPLE_RATE)
    container.mux(stream.encode(frame))
