"""Repeat an action in a thread while something else happens, and note its longest time and its errors."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from threading import Event, Thread
from time import perf_counter
from typing import TYPE_CHECKING

from bench.benchmark import Part
from bench.scale_words import draw_queries
from bench.search_speed import search_completely

if TYPE_CHECKING:
    from heimdex.accounts.models import User

# SEARCH_SECONDS: a channel that takes longer is left out.
SEARCH_S = 10.0


class Probe:
    """What a repeated action has shown so far: how often it ran, its longest time in seconds, and the errors."""

    def __init__(self, action: Callable[[], None], pause_s: float) -> None:
        self.runs = 0
        self.longest_s = 0.0
        self.errors: list[str] = []
        self._action, self._pause_s = action, pause_s
        self._stopping = Event()
        self._thread = Thread(target=self._repeat, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let the last action end."""
        self._stopping.set()
        self._thread.join()

    def _repeat(self) -> None:
        from django.db import connections

        while not self._stopping.wait(self._pause_s):
            began = perf_counter()
            try:
                self._action()
            except Exception as error:  # noqa: BLE001 - what the action raises is what the probe is for
                self.errors.append(f"{type(error).__name__}: {error}")
            self.longest_s = max(self.longest_s, perf_counter() - began)
            self.runs += 1
        connections.close_all()


@contextmanager
def run_probe(action: Callable[[], None], pause_s: float = 0.02) -> Iterator[Probe]:
    """Repeat an action during a block. Raise RuntimeError when it has not run even once."""
    probe = Probe(action, pause_s)
    try:
        yield probe
    finally:
        probe.stop()
    if not probe.runs:
        raise RuntimeError("The block was too short to see anything.")


def make_search(owners: "Sequence[User]", seed: int) -> Callable[[], None]:
    """Return a function that asks each owner in turn."""
    turns = cycle(zip(cycle(owners), draw_queries(1000, seed), strict=False))

    def search_next() -> None:
        search_completely(*next(turns))

    return search_next


def describe_searches(probe: Probe, during: str) -> list[Part]:
    """Return the parts of searches that ran meanwhile."""
    for error in probe.errors[:3]:
        print(f"    during {during}: {error}", flush=True)
    return [
        Part(f"failed searches or left out channels of {probe.runs} searches during {during}", len(probe.errors), 0.0, at_least=False),
        Part(f"slowest search during {during}, s", probe.longest_s, SEARCH_S, at_least=False),
    ]
