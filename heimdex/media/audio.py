"""The sound of a video as speech models want it: mono, 16 kHz, aligned with the pictures."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from heimdex.media.audio_tracks import audio_stream
from heimdex.media.container import opened, packets_of
from heimdex.media.info import MediaInfo, accepted

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.resampler import AudioResampler
    from av.container import InputContainer

SAMPLE_RATE = 16_000
# The sound may start this much apart from the pictures before silence is put in or sound is left out.
_TOLERANCE_S = 0.02
# Silence is put in by pieces, because a file's clock may jump by hours.
_PIECE = SAMPLE_RATE


def audio_blocks(path: Path, info: MediaInfo) -> Iterator[NDArray[np.float32]]:
    """Yield the sound track second by second: float32 of shape (samples,), -1 to 1, mono, 16 kHz; the last piece may be shorter.

    Sample 0 is the moment of the first frame. Pauses that the file's clock shows become silence, so that later words keep their times.
    A broken tail ends the sound early; nothing comes of a file without sound, and of none more than `info.duration_s` and a second.
    """
    if not info.has_audio:
        return
    left = int((info.duration_s + 1) * SAMPLE_RATE)
    waiting: list[NDArray[np.float32]] = []
    size = 0
    with opened(path, accepted(info)) as container:
        for samples in _aligned(container, info.start_s):
            waiting.append(samples[: left - size])
            size += waiting[-1].size
            while size >= _PIECE:
                joined = np.concatenate(waiting)
                yield joined[:_PIECE]
                waiting, size, left = [joined[_PIECE:]], size - _PIECE, left - _PIECE
            if size >= left:
                break
    if size:
        yield np.concatenate(waiting)


def _aligned(container: "InputContainer", start_s: float) -> Iterator[NDArray[np.float32]]:
    """Yield the sound with silence where the clock leaves a gap, and without what comes before the first frame."""
    done = 0
    resampled = _Resampled()
    for frame in _frames(container):
        gap = 0
        if frame.time is not None:
            gap = round((float(frame.time) - start_s) * SAMPLE_RATE) - done
        for samples in resampled.of(frame):
            if gap < -_TOLERANCE_S * SAMPLE_RATE:
                samples, gap = samples[-gap:], min(0, gap + samples.size)
            while gap > _TOLERANCE_S * SAMPLE_RATE:
                silence = np.zeros(min(gap, _PIECE), dtype=np.float32)
                gap -= silence.size
                done += silence.size
                yield silence
            done += samples.size
            yield samples
    yield from resampled.rest()


def _frames(container: "InputContainer") -> "Iterator[AudioFrame]":
    """Decode what can be decoded: damaged packets are passed over, and a broken tail ends the sound."""
    import av

    stream = audio_stream(container)
    if stream is None:
        return
    for packet in packets_of(container, stream):
        try:
            yield from packet.decode()
        except av.error.FFmpegError:
            continue


class _Resampled:
    """Frames as mono samples at 16 kHz, whatever form they have; broadcasts change it midway."""

    def __init__(self) -> None:
        self._resampler: AudioResampler | None = None
        self._form: tuple[str, str, int] | None = None

    def of(self, frame: "AudioFrame") -> list[NDArray[np.float32]]:
        """Return the samples that are ready after this frame."""
        import av

        form = frame.format.name, frame.layout.name, frame.sample_rate
        ready = self.rest() if self._form != form else []
        if self._resampler is None:
            self._form, self._resampler = form, av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
        frame.pts = None
        return ready + [_samples(converted) for converted in self._resampler.resample(frame)]

    def rest(self) -> list[NDArray[np.float32]]:
        """Return what the resampler still holds, and let it go."""
        resampler, self._resampler = self._resampler, None
        return [_samples(converted) for converted in resampler.resample(None) if converted] if resampler else []


def _samples(frame: "AudioFrame") -> NDArray[np.float32]:
    return np.asarray(frame.to_ndarray(), dtype=np.float32).reshape(-1)
