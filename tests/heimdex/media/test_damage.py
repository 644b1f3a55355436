"""The losses of damaged files are counted and described, and intact files of any format have none."""

import random
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from heimdex.media.damage import DecodingStats, LossCounter, describe_damage
from heimdex.media.info import MediaInfo
from heimdex.media.probe import probe
from heimdex.media.scenes import iter_scenes
from tests import media
from tests.bad_inputs import boxes, films
from tests.bad_inputs.films import write_film


def decode_file(path: Path) -> tuple[MediaInfo, DecodingStats]:
    info = probe(path)
    return info, sum((scene.decoded for scene in iter_scenes(path, info)), DecodingStats())


def describe_file(path: Path) -> str:
    info, decoded = decode_file(path)
    return describe_damage(decoded, info.duration_s, info.stated_s)


WHOLE = {
    "H.264": lambda path: write_film(path, frames=60, options={"bf": "3"}),
    "HEVC": lambda path: write_film(path, codec="libx265", options={"x265-params": "log-level=none"}),
    "MPEG-4 in AVI": lambda path: write_film(path, codec="mpeg4", container="avi", options={"bf": "2"}),
    "MPEG-2 in a transport stream": lambda path: write_film(path, codec="mpeg2video", container="mpegts", options={"bf": "2"}),
    "VP8 with pictures that are never shown": lambda path: write_film(
        path, frames=90, codec="libvpx", container="webm", options={"auto-alt-ref": "1", "lag-in-frames": "16", "cpu-used": "5"}
    ),
    "VP9": lambda path: write_film(path, codec="libvpx-vp9", container="webm", options={"cpu-used": "8", "deadline": "realtime"}),
    "interlaced": lambda path: write_film(path, container="mpegts", options={"flags": "+ildct+ilme", "x264-params": "tff=1"}),
    "variable rate": films.RECIPES["variable-rate.mp4"],
    "GIF": films.RECIPES["moving.gif"],
    "one picture": films.RECIPES["one-frame.mp4"],
    "a header that lies beyond belief": boxes.RECIPES["endless-samples.mp4"],
}


@pytest.mark.parametrize("kind", WHOLE)
def test_an_intact_file_has_no_losses(kind: str, tmp_path: Path) -> None:
    recipe: Callable[[Path], object] = WHOLE[kind]
    recipe(tmp_path / "film")
    decoded = decode_file(tmp_path / "film")[1]
    assert (decoded.lost, decoded.partial) == (0, 0)
    assert decoded.frames > 0
    assert describe_file(tmp_path / "film") == ""


def test_a_film_with_audio_has_no_losses() -> None:
    assert describe_file(media.build_video((50, 90), audio="music")) == ""


def test_undecodable_frames_are_counted(tmp_path: Path) -> None:
    boxes.RECIPES["flipped-bytes.mp4"](tmp_path / "film.mp4")
    _, decoded = decode_file(tmp_path / "film.mp4")
    assert decoded.frames + decoded.lost == 30
    assert decoded.lost + decoded.partial >= 15
    assert "% of the frames are damaged and could not be decoded completely." in describe_file(tmp_path / "film.mp4")


def test_few_lost_frames_are_less_than_a_percent(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    write_film(path, frames=1000, codec="mpeg4", options={"g": "1"})
    content = bytearray(path.read_bytes())
    start, end = boxes.find(bytes(content), b"mdat")
    middle = (start + end) // 2
    content[middle : middle + 3000] = random.Random(5).randbytes(3000)
    path.write_bytes(content)
    _, decoded = decode_file(path)
    assert 0 < decoded.lost + decoded.partial < 10
    assert describe_file(path).startswith("Less than 1 % of the frames are damaged")


@pytest.mark.parametrize("container", ["mp4", "matroska"])
def test_the_notice_about_a_truncated_file_states_how_much_remains(container: str, tmp_path: Path) -> None:
    path = tmp_path / "film"
    muxer = {"movflags": "faststart"} if container == "mp4" else {}
    write_film(path, frames=500, container=container, muxer=muxer)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    info, _ = decode_file(path)
    assert 8 < info.duration_s < 12
    assert describe_file(path).startswith(f"The file ends early: its header states 20 s, but it contains only {info.duration_s:.0f} s.")


def count_losses(packets: list[float], frames: list[float], fps: float = 10.0) -> DecodingStats:
    losses = LossCounter(fps, 0.0)
    for time_s in packets:
        losses.record_packet(time_s)
    for time_s in frames:
        losses.record_frame(time_s)
    losses.finish()
    return losses.take_stats()


def test_only_packets_that_leave_a_gap_count_as_lost() -> None:
    every = [number / 10 for number in range(30)]
    assert count_losses(every, every) == DecodingStats(30, 0)
    assert count_losses(every, [*every[:10], *every[15:]]) == DecodingStats(25, 5)
    assert count_losses(every, every[:20]) == DecodingStats(20, 10), "the end"
    assert count_losses(every, every[20:]) == DecodingStats(10, 20), "the beginning"
    assert count_losses(every, every[3:]) == DecodingStats(27, 0), "a recording that begins between two key pictures"
    assert count_losses(every, []) == DecodingStats(0, 30)
    paused = [*every[:10], *every[15:]]
    assert count_losses(paused, paused) == DecodingStats(25, 0), "a pause"
    fields = sorted([*every, *(time_s + 0.05 for time_s in every)])
    assert count_losses(fields, every) == DecodingStats(30, 0), "two packets a picture"
    assert count_losses([*every, 1.34], every) == DecodingStats(30, 0), "a packet that is never shown"


def test_a_broadcast_that_gains_a_track_midway_is_read_to_its_end(tmp_path: Path) -> None:
    """PyAV ends the reading of such a file with an IndexError."""
    silent, sounding = tmp_path / "silent.ts", tmp_path / "sounding.ts"
    # FFmpeg looks for tracks in the first and the last five megabytes, so that it meets the second track midway.
    noise = np.random.default_rng(7).integers(0, 256, (240, 320, 3), dtype=np.uint8)
    write_film(silent, frames=100, container="mpegts", codec="mpeg2video", options={"g": "1", "b": "20M"}, image=noise)
    assert silent.stat().st_size > 5_000_000
    with av.open(str(media.build_video((50,), audio="tone"))) as source, av.open(str(sounding), "w", format="mpegts") as target:
        tracks = {stream.index: target.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.pts, packet.dts = packet.pts + int(4 / packet.time_base), packet.dts + int(4 / packet.time_base)
                packet.stream = tracks[packet.stream.index]
                target.mux(packet)
    path = tmp_path / "film.ts"
    path.write_bytes(silent.read_bytes() + sounding.read_bytes() + silent.read_bytes())
    _, decoded = decode_file(path)
    assert decoded.frames >= 190
