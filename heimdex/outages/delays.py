"""How long Heimdex waits between probes, and before it tries work again that keeps failing although the probes succeed. Pure."""

import random

# Work that waits continues within this time after the end of an outage.
_FIRST_PROBE_S, _LONGEST_PROBE_S = 5.0, 60.0
# So often, work continues as soon as a probe succeeds. Then the probe may not see what keeps the work from succeeding.
_WAITS_WITHOUT_DELAY = 2
_FIRST_WAIT_S, _LONGEST_WAIT_S = 30.0, 3600.0
# Then the failure counts as one of the work itself. With the delays above, this takes about a day.
MAX_WAITS = 30


def compute_probe_delay_s(failed_probes: int) -> float:
    """Return the seconds until the next probe, after so many failed ones: 5 to 60, doubled each time, and up to a quarter more."""
    return _spread(min(_LONGEST_PROBE_S, _FIRST_PROBE_S * 2.0 ** min(failed_probes, 20)))


def compute_wait_s(waits: int) -> float:
    """Return for how many seconds work waits at least that has waited `waits` times: none at first, later up to an hour."""
    if waits < _WAITS_WITHOUT_DELAY:
        return 0.0
    return _spread(min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2.0 ** min(waits - _WAITS_WITHOUT_DELAY, 20)))


def _spread(seconds: float) -> float:
    """Add up to a quarter, so that many processes or items do not return together."""
    # Not used for cryptography.
    return seconds * random.uniform(1.0, 1.25)
