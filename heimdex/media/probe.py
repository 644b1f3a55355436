"""Probe a file: measure its packets instead of trusting its header."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from heimdex.media.audio import find_audio_stream
from heimdex.media.container import diagnose_unreadable, find_video_stream, iter_frames, iter_packets, load_pyav, open_video
from heimdex.media.errors import MediaError, MediaErrorCode
from heimdex.media.info import MediaInfo, MediaLimits, check_frame_size, check_streams, check_timing
from heimdex.media.opened_files import open_input
from heimdex.media.web_pages import contains_web_page

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.stream import Stream
    from av.video.stream import VideoStream

LIMITS = MediaLimits()

# No camera makes a longer pause between two frames. Such a jump would become a scene of years.
_MAX_PAUSE_S = 3600.0


@dataclass
class _Extent:
    """The number and time range of the packets of one track."""

    packets: int = 0
    first_s: float = float("inf")
    last_s: float = float("-inf")
    end_s: float = float("-inf")

    def add(self, start_s: float, duration_s: float) -> None:
        if self.packets and abs(start_s - self.last_s) > _MAX_PAUSE_S:
            raise MediaError(
                MediaErrorCode.BROKEN_TIMESTAMPS,
                "The times inside the video jump by hours, so its scenes cannot be placed. Export it again and upload that.",
            )
        self.packets += 1
        self.first_s = min(self.first_s, start_s)
        self.last_s = start_s
        self.end_s = max(self.end_s, start_s + duration_s)


def load_libraries() -> None:
    """Import what decoding needs, while a sandboxed process can still open files."""
    load_pyav()


def probe(path: Path, limits: MediaLimits = LIMITS) -> MediaInfo:
    """Measure a video file: read all of it, and decode up to the first frame.

    The duration is that of the existing packets, so a wrong header or a missing tail does not matter. A file may have no audio. Raise
    MediaError, with a code and a sentence for the owner, when the file is not a video or exceeds a limit.
    """
    # Not while FFmpeg reads, which may share the position in the file.
    with open_input(path) as file:
        if contains_web_page(file):
            raise MediaError(MediaErrorCode.NOT_A_VIDEO, "This file is a web page, too. Export the video again and upload that.")
    with open_video(path, limits) as container:
        check_streams(len(container.streams), limits)
        stream = find_video_stream(container, limits)
        check_frame_size(stream.codec_context.width, stream.codec_context.height, limits)
        audio = find_audio_stream(container)
        video_extent, audio_extent = _measure(container, stream, audio)
        if not video_extent.packets:
            raise MediaError(MediaErrorCode.TRUNCATED, "The video file is incomplete: it has no frames. Copy it again and upload that.")
        seconds = video_extent.end_s - video_extent.first_s
        check_timing(seconds, video_extent.packets, limits)
        duration_s = max(seconds, audio_extent.end_s - video_extent.first_s)
        check_timing(duration_s, 0, limits)
        codec = stream.codec_context.codec.canonical_name
        rate = stream.average_rate or stream.guessed_rate
        stated_s = _read_stated_duration(container, stream)
    # A new container, because seeking back after a full read fails on some damaged files.
    with open_video(path, limits) as container:
        stream = find_video_stream(container, limits)
        first = next(iter_frames(container, stream), None)
        if first is None:
            raise MediaError(MediaErrorCode.DAMAGED, "No frame of the video can be decoded: the file is damaged. Export it again.")
        check_frame_size(first.width, first.height, limits)
        if container.format.name == "gif" and video_extent.packets == 1:
            raise diagnose_unreadable(b"\x89PNG")
        is_rotated = first.rotation % 180 != 0
        return MediaInfo(
            container=container.format.name,
            duration_s=max(duration_s, 0.001),
            width=first.height if is_rotated else first.width,
            height=first.width if is_rotated else first.height,
            fps=_select_rate(video_extent.packets, seconds, float(rate or 0), limits),
            rotation=first.rotation,
            video_codec=codec,
            audio_codec=audio.codec_context.codec.canonical_name if audio and audio_extent.packets else None,
            video_streams=len(container.streams.video),
            audio_streams=len(container.streams.audio),
            start_s=video_extent.first_s,
            stated_s=stated_s if stated_s and stated_s <= limits.max_duration_s else None,
        )


def _measure(container: "InputContainer", video: "Stream", audio: "Stream | None") -> tuple[_Extent, _Extent]:
    extents = {video.index: _Extent(), -1 if audio is None else audio.index: _Extent()}
    for packet in iter_packets(container, *([video] if audio is None else [video, audio])):
        time = packet.pts if packet.pts is not None else packet.dts
        if time is not None and packet.size and packet.time_base is not None:
            base = float(packet.time_base)
            extents[packet.stream.index].add(time * base, (packet.duration or 0) * base)
    return extents[video.index], extents[-1 if audio is None else audio.index]


def _read_stated_duration(container: "InputContainer", stream: "VideoStream") -> float | None:
    """Return the duration in seconds that the header states for the track, or else for the file."""
    import av

    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration else None


def _select_rate(frames: int, seconds: float, header: float, limits: MediaLimits) -> float:
    """Return the header's frame rate if the frames confirm it, else the measured one."""
    measured = frames / seconds if seconds > 0 else 0.0
    if header and measured and abs(header - measured) / measured < 0.1:
        return header
    return min(measured or header or 1.0, limits.max_fps)
