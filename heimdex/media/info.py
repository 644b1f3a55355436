"""What a video file holds, and how much of it is accepted."""

from dataclasses import dataclass

from heimdex.media.errors import MediaError, MediaErrorCode


@dataclass(frozen=True)
class MediaLimits:
    """The most that is accepted; every bound is inclusive."""

    max_duration_s: float = 6 * 3600
    # Between 4K (8.8 million pixels) and 8K (33 million).
    max_pixels: int = 16 * 1024 * 1024
    max_fps: float = 240
    max_streams: int = 32


@dataclass(frozen=True)
class MediaInfo:
    """What was measured on a file. `width` and `height` are those a viewer sees, after `rotation` (degrees counter-clockwise)."""

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
    # The time of the first frame in the file's own clock; every time that Heimdex stores is relative to it.
    start_s: float
    # How long the video is by its header, where that may be true.
    stated_s: float | None = None

    @property
    def has_audio(self) -> bool:
        """Whether there is sound that can be decoded."""
        return self.audio_codec is not None

    @property
    def has_video(self) -> bool:
        """Whether there are moving pictures; always true of what `probe` returns."""
        return self.video_streams > 0


def accepted(info: MediaInfo) -> MediaLimits:
    """Return what a file may hold that was accepted and is read again: as much as `probe` found, whatever the installation's limits are.

    The picture may grow on the way, though not twofold; tracks were counted already.
    """
    usual = MediaLimits()
    pixels = max(usual.max_pixels, 2 * info.width * info.height)
    return MediaLimits(max_duration_s=info.duration_s, max_pixels=pixels, max_fps=max(usual.max_fps, info.fps), max_streams=1000)


def check_streams(streams: int, limits: MediaLimits) -> None:
    """Raise MediaError `too_many_streams` when a file holds more tracks than the limit."""
    if streams > limits.max_streams:
        raise MediaError(
            MediaErrorCode.TOO_MANY_STREAMS,
            f"The file holds {streams} tracks; at most {limits.max_streams} are accepted. Export it with one video and one sound track.",
        )


def check_picture(width: int, height: int, limits: MediaLimits) -> None:
    """Raise MediaError `too_large_picture` when a frame has more pixels than the limit."""
    if width * height > limits.max_pixels:
        raise MediaError(
            MediaErrorCode.TOO_LARGE_PICTURE,
            f"The picture is {width} × {height}; at most {limits.max_pixels / 1e6:.1f} million pixels are accepted. Export it at 4K.",
        )


def check_timing(duration_s: float, frames: int, limits: MediaLimits) -> None:
    """Raise MediaError `too_long` or `too_many_frames` when the measured length or rate is beyond the limit."""
    if duration_s > limits.max_duration_s:
        raise MediaError(
            MediaErrorCode.TOO_LONG,
            f"The video lasts {duration_s / 3600:.1f} hours; at most {limits.max_duration_s / 3600:g} are accepted. Upload it in parts.",
        )
    if duration_s > 0 and frames > 1 and (frames - 1) / duration_s > limits.max_fps:
        raise MediaError(
            MediaErrorCode.TOO_MANY_FRAMES,
            f"The video has {frames / duration_s:.0f} pictures per second; at most {limits.max_fps:g} are accepted.",
        )
