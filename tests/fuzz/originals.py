"""Good files in several containers and codecs: one or two seconds long, with a cut, and with sound where the container supports it."""

from pathlib import Path

import av

from tests import media
from tests.bad_inputs.films import write_film

_CODECS = {
    "hevc.mp4": ("libx265", "mp4", "yuv420p"),
    "vp9.webm": ("libvpx-vp9", "webm", "yuv420p"),
    "vp8.mkv": ("libvpx", "matroska", "yuv420p"),
    "mpeg4.avi": ("mpeg4", "avi", "yuv420p"),
    "mpeg2.mpg": ("mpeg2video", "mpeg", "yuv420p"),
    "mjpeg.mov": ("mjpeg", "mov", "yuvj420p"),
    "moving.gif": ("gif", "gif", "rgb8"),
    "prores.mov": ("prores_ks", "mov", "yuv422p10le"),
}
_CONTAINERS = {"h264.mkv": "matroska", "h264.ts": "mpegts", "h264.flv": "flv"}


def build_originals(folder: Path) -> list[Path]:
    """Build and return the files; skip those whose encoder this build of FFmpeg lacks."""
    film = media.build_video((20, 30), audio="tone")
    paths = [film]
    for name, container in _CONTAINERS.items():
        paths.append(folder / name)
        _repack(film, paths[-1], container)
    for name, (codec, container, pixels) in _CODECS.items():
        if codec in av.codecs_available:
            paths.append(folder / name)
            quiet = {"x265-params": "log-level=none"} if codec == "libx265" else None
            write_film(paths[-1], size=(160, 120), frames=25, codec=codec, container=container, pixels=pixels, options=quiet)
    return paths


def _repack(source: Path, target: Path, container: str) -> None:
    with av.open(str(source)) as read, av.open(str(target), "w", format=container) as written:
        tracks = {stream.index: written.add_stream_from_template(stream) for stream in read.streams}
        for packet in read.demux():
            if packet.dts is not None:
                packet.stream = tracks[packet.stream.index]
                written.mux(packet)
