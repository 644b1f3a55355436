"""The limits of a sandboxed process grow with the file."""

from heimdex.media.info import MediaInfo
from heimdex.media.sandbox_protocol import DecoderLimits, SandboxLimits, limit_decoding, limit_probe

LIMITS = DecoderLimits(memory_bytes=1000, base_s=30.0, per_second=10.0)


def describe_video(duration_s: float, fps: float) -> MediaInfo:
    return MediaInfo("mp4", duration_s, 320, 240, fps, 0, "h264", None, 1, 0, 0.0)


def test_a_probe_gets_a_second_per_five_megabytes() -> None:
    assert limit_probe(LIMITS, 0) == SandboxLimits(1000, 30.0, 60.0, 60.0)
    assert limit_probe(LIMITS, 50_000_000) == SandboxLimits(1000, 40.0, 80.0, 80.0)


def test_decoding_gets_time_per_second_of_video_and_twice_that_on_a_busy_machine() -> None:
    assert limit_decoding(LIMITS, describe_video(2.0, 30.0)) == SandboxLimits(1000, 50.0, 100.0, 60.0)


def test_a_high_frame_rate_gets_more_time_and_a_low_one_no_less() -> None:
    assert limit_decoding(LIMITS, describe_video(2.0, 60.0)).cpu_s == 70.0
    assert limit_decoding(LIMITS, describe_video(2.0, 10.0)).cpu_s == 50.0
