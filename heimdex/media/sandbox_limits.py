"""The resources that a sandboxed process may use to read one file. Pure."""

from dataclasses import dataclass

from heimdex.media.info import MediaInfo

# On a busy machine the wall time is at most this many times the CPU time.
_WALL_PER_CPU = 2.0
# A probe reads the whole file; a slow disk reads this many bytes per second.
_MIN_BYTES_PER_S = 5_000_000
_NORMAL_FPS = 30.0


@dataclass(frozen=True)
class SandboxLimits:
    """The limits of one process: address space in bytes, CPU time, wall time, and time without a message, in seconds."""

    memory_bytes: int
    cpu_s: float
    wall_s: float
    silent_s: float


@dataclass(frozen=True)
class DecoderLimits:
    """The installation's limits: bytes of memory, CPU seconds for any file, and CPU seconds per second of video at 30 frames/s."""

    memory_bytes: int
    base_s: float
    per_second: float


def limit_probe(limits: DecoderLimits, size_bytes: int) -> SandboxLimits:
    """Return the limits for a probe, when only the size of the file is known."""
    cpu_s = limits.base_s + size_bytes / _MIN_BYTES_PER_S
    return SandboxLimits(limits.memory_bytes, cpu_s, _WALL_PER_CPU * cpu_s, _WALL_PER_CPU * cpu_s)


def limit_decoding(limits: DecoderLimits, info: MediaInfo) -> SandboxLimits:
    """Return the limits for decoding all frames or all sound of a file."""
    cpu_s = limits.base_s + limits.per_second * info.duration_s * max(1.0, info.fps / _NORMAL_FPS)
    return SandboxLimits(limits.memory_bytes, cpu_s, _WALL_PER_CPU * cpu_s, _WALL_PER_CPU * limits.base_s)
