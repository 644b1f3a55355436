"""Select and decode the audio track that is transcribed: mono, 16 kHz, aligned with the frames."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from heimdex.media.container import iter_packets, load_pyav, open_video
from heimdex.media.info import MediaInfo, derive_limits

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.resampler import AudioResampler
    from av.audio.stream import AudioStream
    from av.container import InputContainer

SAMPLE_RATE = 16_000
# The audio may be this far off the frames before silence is inserted or samples are dropped.
_TOLERANCE_S = 0.02
# Silence is inserted in blocks, because a file's clock may jump by hours.
_BLOCK = SAMPLE_RATE


@dataclass(frozen=True)
class AudioTrack:
    """A track as the file describes it. `is_secondary` marks commentaries and descriptions for the blind."""

    index: int
    channels: int
    is_default: bool
    is_secondary: bool
    duration_s: float


def select_track(tracks: Iterable[AudioTrack]) -> AudioTrack | None:
    """Return the track that most likely contains the film's own speech.

    Main tracks precede secondary ones. Then the default track, the most channels, the longest and the first track take precedence.
    """
    return max(tracks, key=_rank, default=None)


def _rank(track: AudioTrack) -> tuple[bool, bool, int, float, int]:
    return not track.is_secondary, track.is_default, track.channels, track.duration_s, -track.index


def find_audio_stream(container: "InputContainer") -> "AudioStream | None":
    """Return the best audio track for which a decoder exists."""
    decodable = {stream.index: stream for stream in container.streams.audio if stream.codec_context is not None}
    best = select_track(_describe(stream) for stream in decodable.values())
    return decodable[best.index] if best else None


def _describe(stream: "AudioStream") -> AudioTrack:
    from av.stream import Disposition

    secondary = (
        Disposition.comment
        | Disposition.visual_impaired
        | Disposition.descriptions
        | Disposition.clean_effects
        | Disposition.karaoke
        | Disposition.non_diegetic
        | Disposition.dependent
    )
    # Many programs state the kind of a track only in its name.
    is_secondary = bool(stream.disposition & secondary) or "commentary" in stream.metadata.get("title", "").casefold()
    seconds = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0
    return AudioTrack(stream.index, stream.codec_context.channels, bool(stream.disposition & Disposition.default), is_secondary, seconds)


def load_libraries() -> None:
    """Import what decoding needs, while a sandboxed process can still open files."""
    load_pyav()


def iter_audio_blocks(path: Path, info: MediaInfo) -> Iterator[NDArray[np.float32]]:
    """Yield the audio in blocks of a second: float32 of shape (samples,), -1 to 1, mono, 16 kHz. The last block may be shorter.

    Sample 0 is at the time of the first frame. Gaps on the file's clock become silence, so that later words keep their times. A broken
    tail ends the audio early. A file without audio yields nothing, and no file yields more than `info.duration_s` plus a second.
    """
    if not info.has_audio:
        return
    remaining = int((info.duration_s + 1) * SAMPLE_RATE)
    pending: list[NDArray[np.float32]] = []
    size = 0
    with open_video(path, derive_limits(info)) as container:
        for samples in _align(container, info.start_s):
            pending.append(samples[: remaining - size])
            size += pending[-1].size
            while size >= _BLOCK:
                joined = np.concatenate(pending)
                yield joined[:_BLOCK]
                pending, size, remaining = [joined[_BLOCK:]], size - _BLOCK, remaining - _BLOCK
            if size >= remaining:
                break
    if size:
        yield np.concatenate(pending)


def _align(container: "InputContainer", start_s: float) -> Iterator[NDArray[np.float32]]:
    """Yield the audio with silence in gaps of the clock, and without the part before the first frame."""
    done = 0
    resampler = _Resampler()
    for frame in _iter_frames(container):
        gap = 0
        if frame.time is not None:
            gap = round((float(frame.time) - start_s) * SAMPLE_RATE) - done
        for samples in resampler.resample(frame):
            if gap < -_TOLERANCE_S * SAMPLE_RATE:
                samples, gap = samples[-gap:], min(0, gap + samples.size)
            while gap > _TOLERANCE_S * SAMPLE_RATE:
                silence = np.zeros(min(gap, _BLOCK), dtype=np.float32)
                gap -= silence.size
                done += silence.size
                yield silence
            done += samples.size
            yield samples
    yield from resampler.flush()


def _iter_frames(container: "InputContainer") -> "Iterator[AudioFrame]":
    """Yield every decodable frame: skip damaged packets, and end at a broken tail."""
    import av

    stream = find_audio_stream(container)
    if stream is None:
        return
    for packet in iter_packets(container, stream):
        try:
            yield from packet.decode()
        except av.error.FFmpegError:
            continue


class _Resampler:
    """Convert frames of any format to mono samples at 16 kHz. Broadcasts change the format midway."""

    def __init__(self) -> None:
        self._resampler: AudioResampler | None = None
        self._format: tuple[str, str, int] | None = None

    def resample(self, frame: "AudioFrame") -> list[NDArray[np.float32]]:
        """Return the samples that are ready after this frame."""
        import av

        audio_format = frame.format.name, frame.layout.name, frame.sample_rate
        ready = self.flush() if self._format != audio_format else []
        if self._resampler is None:
            self._format, self._resampler = audio_format, av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
        frame.pts = None
        return ready + [_to_array(converted) for converted in self._resampler.resample(frame)]

    def flush(self) -> list[NDArray[np.float32]]:
        """Return the remaining samples and reset the resampler."""
        resampler, self._resampler = self._resampler, None
        return [_to_array(converted) for converted in resampler.resample(None) if converted] if resampler else []


def _to_array(frame: "AudioFrame") -> NDArray[np.float32]:
    return np.asarray(frame.to_ndarray(), dtype=np.float32).reshape(-1)
