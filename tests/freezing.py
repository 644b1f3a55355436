"""Stop processes for a while, as a machine that hangs."""

import os
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Event, Timer

# Longer than anything waits, and shorter than the time limit of a test, whose processes would stay frozen.
_AT_MOST_S = 100


@contextmanager
def freeze(pids: Iterable[int]) -> Iterator[None]:
    """Freeze processes during the block. Fail when the block waits for the end of the freeze."""
    frozen, thawed = list(pids), Event()
    assert frozen

    def thaw() -> None:
        thawed.set()
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)

    timer = Timer(_AT_MOST_S, thaw)
    timer.start()
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
        assert not thawed.is_set(), "something waited for the frozen process"
    finally:
        timer.cancel()
        thaw()
