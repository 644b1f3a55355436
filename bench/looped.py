"""Make a long video from a short one without encoding it again."""

from fractions import Fraction
from pathlib import Path


def loop_video(source: Path, path: Path, times: int) -> Path:
    """Write the video stream of `source` to an MP4 file, `times` times in a row. The packets are copied."""
    import av

    with av.open(str(source)) as original, av.open(str(path), "w", format="mp4") as container:
        stream = original.streams.video[0]
        copy = container.add_stream_from_template(stream)
        packets = [packet for packet in original.demux(stream) if packet.dts is not None and packet.pts is not None]
        frames = [(packet.dts or 0, packet.pts or 0) for packet in packets]
        # The mean duration of a frame. The next copy begins one frame after the last frame.
        step = Fraction(max(pts for _, pts in frames) - min(pts for _, pts in frames), max(1, len(frames) - 1))
        length = round(step * len(frames))
        for turn in range(times):
            for packet, (dts, pts) in zip(packets, frames, strict=True):
                packet.dts, packet.pts, packet.stream = dts + turn * length, pts + turn * length, copy
                container.mux(packet)
    return path
