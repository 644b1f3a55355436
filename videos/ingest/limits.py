"""How long a stage may take before it counts as hung. Pure."""

# A slow storage or disk gives this many bytes a second.
_SLOWEST_READING = 1_000_000


def stage_limit_s(base_s: float, per_second: float, duration_s: float, size_bytes: int) -> float:
    """Return the seconds that a stage may take with a video of this duration (0 while it is unknown) and size."""
    return base_s + per_second * duration_s + size_bytes / _SLOWEST_READING
