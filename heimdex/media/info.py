"""The properties of a video file, and the limits for uploads."""

from dataclasses import dataclass
from math import isfinite

from heimdex.media.errors import MediaError, MediaErrorCode


@dataclass(frozen=True)
class MediaLimits:
    """The limits for uploads. Every limit is inclusive."""

    max_duration_s: float = 6 * 3600
    # Between 4K (8.8 million pixels) and 8K (33 million).
    max_pixels: int = 16 * 1024 * 1024
    max_fps: float = 240
    max_streams: int = 32


@dataclass(frozen=True)
class MediaInfo:
    """The measured properties of a file. `width` and `height` are as displayed, after `rotation` (degrees counterclockwise)."""

    container: str
    duration_s: float
    width: int
    height: int
    fps: float
    rotation: int
    video_codec: str
    audio_codec: str | None
    video_streams: int
    audio_streams: int
    # The time of the first frame on the file's clock. Every time that Heimdex stores is relative to it.
    start_s: float
    # The duration that the header states, if it is plausible.
    stated_s: float | None = None

    @property
    def has_audio(self) -> bool:
        """Whether the file has decodable audio."""
        return self.audio_codec is not None


def derive_limits(info: MediaInfo) -> MediaLimits:
    """Derive the limits for decoding a file that `probe` has accepted, whatever the installation's limits are now.

    Frames may be up to twice as large as the first one. Tracks were counted already.
    """
    defaults = MediaLimits()
    pixels = max(defaults.max_pixels, 2 * info.width * info.height)
    return MediaLimits(max_duration_s=info.duration_s, max_pixels=pixels, max_fps=max(defaults.max_fps, info.fps), max_streams=1000)


def is_credible(info: MediaInfo, limits: MediaLimits) -> bool:
    """Return whether a sandboxed process that probed under `limits` could have measured this.

    A file that has taken over the process may claim anything, and its claims decide how long later processes may run.
    """
    times, rate = (info.duration_s, info.start_s), info.fps
    # A header's rate may differ from the measured one, and the rate of two frames is twice what the limit compares.
    is_limited = info.duration_s <= limits.max_duration_s and rate <= 3 * limits.max_fps and info.width * info.height <= limits.max_pixels
    return all(map(isfinite, (*times, rate))) and min(info.duration_s, rate, info.width, info.height) > 0 and is_limited


def check_streams(streams: int, limits: MediaLimits) -> None:
    """Raise MediaError `too_many_streams` when a file has more tracks than the limit."""
    if streams > limits.max_streams:
        raise MediaError(
            MediaErrorCode.TOO_MANY_STREAMS,
            f"The file has {streams} tracks; at most {limits.max_streams} are accepted. Export it with one video and one audio track.",
        )


def check_frame_size(width: int, height: int, limits: MediaLimits) -> None:
    """Raise MediaError `too_large_picture` when a frame has more pixels than the limit."""
    if width * height > limits.max_pixels:
        raise MediaError(
            MediaErrorCode.TOO_LARGE_IMAGE,
            f"The frames are {width} × {height}; at most {limits.max_pixels / 1e6:.1f} million pixels are accepted. Export it at 4K.",
        )


def check_timing(duration_s: float, frames: int, limits: MediaLimits) -> None:
    """Raise MediaError `too_long` or `too_many_frames` when the measured duration or frame rate exceeds the limit."""
    if duration_s > limits.max_duration_s:
        raise MediaError(
            MediaErrorCode.TOO_LONG,
            f"The video lasts {duration_s / 3600:.1f} hours; at most {limits.max_duration_s / 3600:g} are accepted. Upload it in parts.",
        )
    if duration_s > 0 and frames > 1 and (frames - 1) / duration_s > limits.max_fps:
        raise MediaError(
            MediaErrorCode.TOO_MANY_FRAMES,
            f"The video has {frames / duration_s:.0f} frames per second; at most {limits.max_fps:g} are accepted.",
        )
