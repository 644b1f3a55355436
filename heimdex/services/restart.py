"""When a service that ended is started again."""

# Who ran this long was healthy: its next end counts as the first.
STABLE_S = 60.0
FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 30.0


def failures_after_exit(failures: int, uptime_s: float) -> int:
    """Return how many ends in a row there are now, given those before and how long the service ran this time."""
    return 1 if uptime_s >= STABLE_S else failures + 1


def restart_delay_s(failures: int) -> float:
    """Return how long to wait after so many ends in a row: doubling from half a second to half a minute."""
    # The exponent is bounded too, or a service that never runs would overflow it after a day.
    return min(FIRST_DELAY_S * 2.0 ** min(failures - 1, 10), LONGEST_DELAY_S)
