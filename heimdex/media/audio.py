"""The sound of a video as speech models want it: mono, 16 kHz, aligned with the pictures."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from heimdex.media.container import opened
from heimdex.media.info import MediaInfo, MediaLimits
from heimdex.media.probe import audio_stream

SAMPLE_RATE = 16_000
# The sound may start this much apart from the pictures before silence is put in or sound is left out.
_TOLERANCE_S = 0.02


def read_audio(path: Path, info: MediaInfo) -> NDArray[np.float32]:
    """Return the whole sound track: float32 of shape (samples,), -1 to 1, mono, 16 kHz; empty when there is none.

    Sample 0 is the moment of the first frame. Takes 230 MB per hour; `audio_blocks` reads in bounded pieces.
    """
    blocks = list(audio_blocks(path, info))
    return np.concatenate(blocks) if blocks else np.zeros(0, dtype=np.float32)


def audio_blocks(path: Path, info: MediaInfo) -> Iterator[NDArray[np.float32]]:
    """Yield the sound track piece by piece (well below a second each), as `read_audio` returns it in one.

    Pauses that the file's clock shows become silence, so that later words keep their times. A broken tail ends the sound early.
    """
    import av

    if not info.has_audio:
        return
    limits = MediaLimits(max_duration_s=info.duration_s)
    most = int((info.duration_s + 1) * SAMPLE_RATE)
    done = 0
    with opened(path, limits) as container:
        stream = audio_stream(container)
        if stream is None:
            return
        resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
        packets = container.demux(stream)
        while done < most:
            try:
                packet = next(packets)
            except (StopIteration, av.error.FFmpegError):
                break
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                continue
            for frame in frames:
                start_s = float(frame.time) - info.start_s if frame.time is not None else done / SAMPLE_RATE
                gap = round((start_s - done / SAMPLE_RATE) * SAMPLE_RATE)
                frame.pts = None
                for converted in resampler.resample(frame):
                    samples: NDArray[np.float32] = converted.to_ndarray().reshape(-1).astype(np.float32, copy=False)
                    block = _aligned(samples, gap)[: most - done]
                    gap = 0
                    if block.size:
                        done += block.size
                        yield block
        rest = [converted.to_ndarray().reshape(-1) for converted in resampler.resample(None)]
        if rest and done < most:
            yield np.concatenate(rest).astype(np.float32, copy=False)[: most - done]


def _aligned(samples: NDArray[np.float32], gap: int) -> NDArray[np.float32]:
    """Put silence before samples that come late, or leave out those from before the first frame."""
    if abs(gap) <= _TOLERANCE_S * SAMPLE_RATE:
        return samples
    if gap > 0:
        return np.concatenate([np.zeros(gap, dtype=np.float32), samples])
    return samples[-gap:]
