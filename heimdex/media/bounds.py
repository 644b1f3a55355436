"""How much of a machine the reading of one file may take. Pure."""

from dataclasses import dataclass

from heimdex.media.info import MediaInfo

# A machine that is busy with other things takes this much longer than the processor's time.
_WALL_PER_CPU = 2.0
# Measuring a file reads all of it; a slow disk gives this many bytes a second.
_SLOWEST_READING = 5_000_000
_USUAL_FPS = 30.0


@dataclass(frozen=True)
class Bounds:
    """The most that one process may take: address space (bytes), processor time, time that is waited for it, and time without a word."""

    memory_bytes: int
    cpu_s: float
    wall_s: float
    silent_s: float


@dataclass(frozen=True)
class Allowance:
    """What an installation grants: memory, seconds for any file, and seconds for each second of a video of 30 frames a second."""

    memory_bytes: int
    base_s: float
    per_second: float


def bounds_of_probe(allowance: Allowance, size_bytes: int) -> Bounds:
    """Bound the first look at a file, of which nothing is known but its size."""
    cpu_s = allowance.base_s + size_bytes / _SLOWEST_READING
    return Bounds(allowance.memory_bytes, cpu_s, _WALL_PER_CPU * cpu_s, _WALL_PER_CPU * cpu_s)


def bounds_of_reading(allowance: Allowance, info: MediaInfo) -> Bounds:
    """Bound a pass over all pictures or all sound of a file."""
    cpu_s = allowance.base_s + allowance.per_second * info.duration_s * max(1.0, info.fps / _USUAL_FPS)
    return Bounds(allowance.memory_bytes, cpu_s, _WALL_PER_CPU * cpu_s, _WALL_PER_CPU * allowance.base_s)
