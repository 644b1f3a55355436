"""Open and decode an untrusted video file: allowed formats and codecs, and the errors for unusable files."""

import importlib
import os
import pkgutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from heimdex.media.damage import LossCounter
from heimdex.media.errors import MediaError, MediaErrorCode
from heimdex.media.info import MediaInfo, MediaLimits
from heimdex.media.opened_files import get_ffmpeg_source, open_input

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

S = TypeVar("S", bound="Stream")

# Self-contained formats. Playlists (hls, concat, dash, sdp) and image lists would make FFmpeg read other files.
FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,asf,ogg,gif"

_MODERN_CODECS = {"h264", "hevc", "av1", "vp8", "vp9", "prores", "dnxhd", "mjpeg", "gif"}
_OLDER_CODECS = {
    "mpeg1video",
    "mpeg2video",
    "mpeg4",
    "msmpeg4v2",
    "msmpeg4v3",
    "h263",
    "flv1",
    "wmv1",
    "wmv2",
    "wmv3",
    "vc1",
    "theora",
    "dvvideo",
}
VIDEO_CODECS = _MODERN_CODECS | _OLDER_CODECS

MAX_THREADS = 8

_IMAGE_SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"BM", b"II*\x00", b"MM\x00*")
_AUDIO_SIGNATURES = (b"ID3", b"fLaC", b"\xff\xfb", b"\xff\xf3", b"\xff\xf1", b"\xff\xf9")
_MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide")
_MATROSKA = b"\x1aE\xdf\xa3"


def load_pyav() -> None:
    """Import all of PyAV. It imports some of its modules only when a file has such a track."""
    import av

    for module in pkgutil.walk_packages(av.__path__, "av."):
        if module.name not in ("av.__main__", "av.datasets"):
            importlib.import_module(module.name)


@contextmanager
def open_video(path: Path, limits: MediaLimits) -> "Iterator[InputContainer]":
    """Open a video file for reading, only in the formats of FORMATS, and only this file (no other protocol).

    Raise MediaError `empty_file`, `not_a_video`, `still_picture`, `no_video_stream` or `truncated` when FFmpeg does not accept it.
    """
    import av

    with open_input(path) as file:
        head = file.read(64)
    if not head:
        raise MediaError(MediaErrorCode.EMPTY_FILE, "The file is empty. Upload it again.")
    url, source_options = get_ffmpeg_source(path)
    options = {"format_whitelist": FORMATS, "max_streams": str(limits.max_streams + 1), **source_options}
    try:
        container = av.open(url, container_options=options, metadata_errors="replace")
    except (av.error.FFmpegError, ValueError) as error:
        raise diagnose_unreadable(head) from error
    with container:
        yield container


def diagnose_unreadable(head: bytes) -> MediaError:
    """Return why FFmpeg does not read a file as a video, from its first bytes."""
    if head.startswith(_IMAGE_SIGNATURES) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP") or head[4:12] in (b"ftypheic", b"ftypavif"):
        return MediaError(MediaErrorCode.STILL_IMAGE, "This is an image, not a video. Upload a video file.")
    if head.startswith(_AUDIO_SIGNATURES) or (head[:4] == b"RIFF" and head[8:12] == b"WAVE"):
        return MediaError(MediaErrorCode.NO_VIDEO_STREAM, "This file has only audio. Upload a file with a video track.")
    if head[4:8] in _MP4_BOXES or head.startswith(_MATROSKA):
        return MediaError(
            MediaErrorCode.TRUNCATED, "The video file is incomplete: its index is missing. Export or copy it again, then upload that."
        )
    return MediaError(MediaErrorCode.NOT_A_VIDEO, "This file is not a readable video. Upload an MP4, MOV, WebM, MKV or AVI file.")


def find_video_stream(container: "InputContainer", limits: MediaLimits) -> "VideoStream":
    """Return the first video track, ready to decode on several threads. Raise MediaError `no_video_stream` or `codec_not_allowed`."""
    from av.stream import Disposition

    streams = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    if not streams:
        content = "audio and a cover image" if container.streams.video else "audio"
        raise MediaError(MediaErrorCode.NO_VIDEO_STREAM, f"This file has only {content}. Upload a file with a video track.")
    stream = streams[0]
    context = stream.codec_context
    if context is None or context.codec.canonical_name not in VIDEO_CODECS:
        name = context.codec.canonical_name if context else "unknown"
        raise MediaError(
            MediaErrorCode.CODEC_NOT_ALLOWED,
            f"This video's format, {name}, is not accepted. Export the video as MP4 (H.264) and upload that file.",
        )
    # FFmpeg checks this limit before it allocates memory for a frame. On the container the option is ignored.
    context.options = {"max_pixels": str(limits.max_pixels)}
    stream.thread_type = "AUTO"
    # Each thread holds its own frames. On a large machine they would exceed the memory limit of a decoder.
    if (os.cpu_count() or 1) > MAX_THREADS:
        context.thread_count = MAX_THREADS
    return stream


def iter_packets(container: "InputContainer", *streams: "S") -> "Iterator[Packet[S]]":
    """Yield the readable packets of some tracks, then an empty packet per track to flush its decoder."""
    import av

    packets = cast("Iterator[Packet[S]]", container.demux(*streams))
    while True:
        try:
            packet = next(packets)
        except av.error.MemoryError:
            # Part of the packets would be useless.
            raise
        except (StopIteration, av.error.FFmpegError, IndexError):
            # A broken tail, or a track that a broadcast starts later, which PyAV does not find (IndexError).
            break
        if packet.size:
            yield packet
    for stream in streams:
        last = cast("Packet[S]", av.Packet())
        last.stream = stream
        if stream.time_base is not None:
            last.time_base = stream.time_base
        yield last


def iter_timed_frames(
    container: "InputContainer", stream: "VideoStream", info: MediaInfo, losses: LossCounter | None = None
) -> "Iterator[tuple[float, VideoFrame]]":
    """Decode as `iter_frames`, and yield each frame with its time in seconds from the first. A missing time is one frame after the last."""
    last_s = -1 / info.fps
    for frame in iter_frames(container, stream, losses):
        last_s = max(0.0, float(frame.time) - info.start_s) if frame.time is not None else last_s + 1 / info.fps
        yield last_s, frame


def iter_frames(container: "InputContainer", stream: "VideoStream", losses: LossCounter | None = None) -> "Iterator[VideoFrame]":
    """Yield every decodable frame: skip damaged packets, and end at a broken tail. `losses` counts both."""
    import av

    for packet in iter_packets(container, stream):
        if losses and packet.size and packet.pts is not None and not packet.is_discard:
            losses.record_packet(float(packet.pts * packet.time_base))
        try:
            for frame in packet.decode():
                if losses and frame.time is not None:
                    losses.record_frame(frame.time, is_complete=not frame.is_corrupt)
                yield frame
        except av.error.MemoryError:
            raise
        except av.error.FFmpegError:
            continue
    if losses:
        losses.finish()
