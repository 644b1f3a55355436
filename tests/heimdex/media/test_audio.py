"""Audio is decoded block by block from the right track: mono, 16 kHz, aligned with the frames."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from numpy.typing import NDArray

from heimdex.media.audio import SAMPLE_RATE, AudioTrack, iter_audio_blocks, select_track
from heimdex.media.info import MediaInfo
from heimdex.media.probe import probe
from tests import media

RATE = 48_000
FILM, DEFAULT_TRACK = AudioTrack(1, 2, False, False, 60.0), AudioTrack(2, 1, True, False, 60.0)


def decode_all(path: Path, info: MediaInfo | None = None) -> NDArray[np.float32]:
    blocks = list(iter_audio_blocks(path, info or probe(path)))
    assert all(block.dtype == np.float32 and 0 < block.size <= SAMPLE_RATE for block in blocks)
    return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)


def find_loudest_frequency(samples: NDArray[np.float32]) -> float:
    """Return the loudest frequency in Hz."""
    return float(np.argmax(np.abs(np.fft.rfft(samples))) * SAMPLE_RATE / samples.size)


def write_tracks(path: Path, tracks: list[tuple[float, str, Disposition, str]], *, seconds: float = 2.0, start_s: float = 0.0) -> None:
    """Write a Matroska file with a video track from 0 s on, and audio tracks: each has a tone (Hz), layout, disposition and title."""
    with av.open(str(path), "w", format="matroska") as container:
        video = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
        streams = [container.add_stream("pcm_s16le", rate=RATE, layout=layout) for _, layout, _, _ in tracks]
        for stream, (_, _, disposition, title) in zip(streams, tracks, strict=True):
            stream.disposition, stream.metadata["title"] = disposition, title
        for number in range(int((start_s + seconds) * 25)):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 90, np.uint8), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(video.encode(frame))
        for stream, (tone, layout, _, _) in zip(streams, tracks, strict=True):
            wave = np.sin(2 * np.pi * tone * np.arange(int(seconds * RATE)) / RATE) * 8000
            channels = len(av.AudioLayout(layout).channels)
            sound = av.AudioFrame.from_ndarray(np.repeat(wave.astype(np.int16), channels).reshape(1, -1), format="s16", layout=layout)
            sound.sample_rate, sound.pts, sound.time_base = RATE, round(start_s * RATE), Fraction(1, RATE)
            container.mux(stream.encode(sound))
            container.mux(stream.encode(None))
        container.mux(video.encode(None))


def test_decoded_audio_contains_the_recorded_tone() -> None:
    audio = decode_all(media.build_video((50,), audio="tone"))
    assert audio.size / SAMPLE_RATE == pytest.approx(2.0, abs=0.15)
    assert find_loudest_frequency(audio) == pytest.approx(440, abs=2)


def test_a_video_without_audio_yields_no_samples() -> None:
    assert decode_all(media.build_video((50,))).size == 0


@pytest.mark.parametrize(
    ("tracks", "expected"),
    [
        ([FILM, DEFAULT_TRACK], 2),
        ([FILM, AudioTrack(2, 6, False, False, 60.0)], 2),
        ([FILM, AudioTrack(2, 2, False, False, 90.0)], 2),
        ([FILM, AudioTrack(2, 2, False, False, 60.0)], 1),
        ([AudioTrack(1, 6, True, True, 60.0), FILM], 1),
        ([AudioTrack(5, 6, True, True, 60.0)], 5),
    ],
    ids=["the default", "most channels", "the longest", "the first", "no commentary", "a commentary, if there is nothing else"],
)
def test_the_main_speech_track_is_selected(tracks: list[AudioTrack], expected: int) -> None:
    chosen = select_track(tracks)
    assert chosen is not None
    assert chosen.index == expected
    assert select_track([]) is None


def test_the_files_track_metadata_decides(tmp_path: Path) -> None:
    none, comment = Disposition(0), Disposition.comment
    write_tracks(tmp_path / "a.mkv", [(300, "stereo", comment, ""), (500, "5.1", none, "Director's Commentary"), (700, "mono", none, "")])
    assert find_loudest_frequency(decode_all(tmp_path / "a.mkv")) == pytest.approx(700, abs=2)


def test_audio_that_starts_late_keeps_its_time(tmp_path: Path) -> None:
    write_tracks(tmp_path / "late.mkv", [(440, "stereo", Disposition.default, "")], seconds=1, start_s=2.5)
    audio = decode_all(tmp_path / "late.mkv")
    begins = float(np.flatnonzero(np.abs(audio) > 0.05)[0]) / SAMPLE_RATE
    assert begins == pytest.approx(2.5, abs=0.03)
    assert audio.size / SAMPLE_RATE == pytest.approx(3.5, abs=0.03)


def test_audio_that_changes_its_format_midway_is_decoded_to_the_end(tmp_path: Path) -> None:
    """Broadcasts switch between stereo and mono. MPEG transport streams can simply be concatenated."""
    path = tmp_path / "changing.ts"
    with path.open("wb") as joined:
        for number, (layout, tone) in enumerate((("stereo", 300.0), ("mono", 900.0))):
            part = tmp_path / f"{layout}.ts"
            with av.open(str(part), "w", format="mpegts") as container:
                video = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "bf": "0"})
                video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
                stream = container.add_stream("aac", rate=RATE, layout=layout)
                for step in range(50):
                    frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 90, np.uint8), format="rgb24")
                    frame.pts, frame.time_base = step + 50 * number, Fraction(1, 25)
                    container.mux(video.encode(frame))
                container.mux(video.encode(None))
                wave = (0.3 * np.sin(2 * np.pi * tone * np.arange(2 * RATE) / RATE)).astype(np.float32)
                channels = len(av.AudioLayout(layout).channels)
                sound = av.AudioFrame.from_ndarray(np.repeat(wave, channels).reshape(1, -1), format="flt", layout=layout)
                sound.sample_rate, sound.pts, sound.time_base = RATE, 2 * RATE * number, Fraction(1, RATE)
                container.mux(stream.encode(sound))
                container.mux(stream.encode(None))
            joined.write(part.read_bytes())
    audio = decode_all(path)
    assert find_loudest_frequency(audio[8000:24000]) == pytest.approx(300, abs=5)
    assert find_loudest_frequency(audio[-24000:-8000]) == pytest.approx(900, abs=5)
