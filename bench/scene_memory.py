"""V7: what finding the scenes of a long film takes of memory, against a short one."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from bench.benchmark import Goal, Group
from bench.cut_videos import make, scripts
from bench.looped import loop
from bench.workers import ROOT

# Two hours take minutes, so two rounds have to do.
ROUNDS = 2
SHORT_S, LONG_S = 120, 7200


def rounds() -> Iterator[Mapping[str, float]]:
    """Yield the peak over two hours as a ratio to that over two minutes."""
    with tempfile.TemporaryDirectory(prefix="heimdex-memory-") as folder:
        short = make(scripts(3, SHORT_S)["hard lively"], Path(folder) / "short.mp4")
        long = loop(short.path, Path(folder) / "long.mp4", round(LONG_S / short.duration_s))
        for _ in range(ROUNDS):
            yield {"V7": _peak(long) / _peak(short.path)}


def _peak(film: Path) -> int:
    output = subprocess.run(
        [sys.executable, "-m", "bench.one_pass", str(film)], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    return int(output.split()[-1])


GROUP = Group(
    (Goal("V7", "peak memory of finding the scenes of a two-hour film (two rounds)", "of a two-minute film", 1.2, at_least=False),), rounds
)
