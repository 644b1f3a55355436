"""What a file holds, measured on its packets rather than believed from its header."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from heimdex.media.audio_tracks import audio_stream
from heimdex.media.container import frames_of, opened, packets_of, unreadable, video_stream
from heimdex.media.errors import MediaError, MediaErrorCode
from heimdex.media.info import MediaInfo, MediaLimits, check_picture, check_streams, check_timing

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.stream import Stream
    from av.video.stream import VideoStream

LIMITS = MediaLimits()

# A pause between two frames that no camera makes; such a jump would turn into a scene of years.
_LONGEST_PAUSE_S = 3600.0


@dataclass
class _Extent:
    """The packets of one track: how many, from when to when."""

    packets: int = 0
    first_s: float = float("inf")
    last_s: float = float("-inf")
    end_s: float = float("-inf")

    def add(self, start_s: float, duration_s: float) -> None:
        if self.packets and abs(start_s - self.last_s) > _LONGEST_PAUSE_S:
            raise MediaError(
                MediaErrorCode.BROKEN_TIMESTAMPS,
                "The times inside the video jump by hours, so its scenes cannot be placed. Export it again and upload that.",
            )
        self.packets += 1
        self.first_s = min(self.first_s, start_s)
        self.last_s = start_s
        self.end_s = max(self.end_s, start_s + duration_s)


def probe(path: Path, limits: MediaLimits = LIMITS) -> MediaInfo:
    """Measure what a video file holds; reads all of it, decodes up to the first frame.

    The duration is that of the packets that are really there, so a wrong header or a missing tail does not matter.
    Raises MediaError with a code and a sentence for its owner when the file is no video or beyond a limit. No sound is fine.
    """
    with opened(path, limits) as container:
        check_streams(len(container.streams), limits)
        stream = video_stream(container, limits)
        check_picture(stream.codec_context.width, stream.codec_context.height, limits)
        audio = audio_stream(container)
        video_extent, audio_extent = _measure(container, stream, audio)
        if not video_extent.packets:
            raise MediaError(MediaErrorCode.TRUNCATED, "The video file is incomplete: it holds no pictures. Copy it again and upload that.")
        seconds = video_extent.end_s - video_extent.first_s
        check_timing(seconds, video_extent.packets, limits)
        duration_s = max(seconds, audio_extent.end_s - video_extent.first_s)
        check_timing(duration_s, 0, limits)
        codec = stream.codec_context.codec.canonical_name
        rate = stream.average_rate or stream.guessed_rate
        stated_s = _stated(container, stream)
    # A fresh container: seeking back after a full read fails on some damaged files.
    with opened(path, limits) as container:
        stream = video_stream(container, limits)
        first = next(frames_of(container, stream), None)
        if first is None:
            raise MediaError(MediaErrorCode.DAMAGED, "No picture of the video can be decoded: the file is damaged. Export it again.")
        check_picture(first.width, first.height, limits)
        if container.format.name == "gif" and video_extent.packets == 1:
            raise unreadable(b"\x89PNG")
        turned = first.rotation % 180 != 0
        return MediaInfo(
            container=container.format.name,
            duration_s=max(duration_s, 0.001),
            width=first.height if turned else first.width,
            height=first.width if turned else first.height,
            fps=_believable_rate(video_extent.packets, seconds, float(rate or 0), limits),
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
    for packet in packets_of(container, *([video] if audio is None else [video, audio])):
        moment = packet.pts if packet.pts is not None else packet.dts
        if moment is not None and packet.size and packet.time_base is not None:
            base = float(packet.time_base)
            extents[packet.stream.index].add(moment * base, (packet.duration or 0) * base)
    return extents[video.index], extents[-1 if audio is None else audio.index]


def _stated(container: "InputContainer", stream: "VideoStream") -> float | None:
    """Return the length (seconds) that the track, or else the whole file, is said to have."""
    import av

    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration else None


def _believable_rate(frames: int, seconds: float, header: float, limits: MediaLimits) -> float:
    """Return the header's frame rate where the frames bear it out, else the measured one."""
    measured = frames / seconds if seconds > 0 else 0.0
    if header and measured and abs(header - measured) / measured < 0.1:
        return header
    return min(measured or header or 1.0, limits.max_fps)
