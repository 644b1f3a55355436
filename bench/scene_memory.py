"""V7: peak memory of scene detection on a long video, against a short one."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from bench.benchmark import Goal, Group
from bench.cut_videos import build_scripts, generate_video
from bench.looped import loop_video
from bench.workers import ROOT

# A pass over two hours takes minutes, so there are two rounds.
ROUNDS = 2
SHORT_S, LONG_S = 120, 7200


def run_rounds() -> Iterator[Mapping[str, float]]:
    """Yield the peak memory for two hours as a ratio to two minutes."""
    with tempfile.TemporaryDirectory(prefix="heimdex-memory-") as folder:
        short = generate_video(build_scripts(3, SHORT_S)["hard lively"], Path(folder) / "short.mp4")
        long = loop_video(short.path, Path(folder) / "long.mp4", round(LONG_S / short.duration_s))
        for _ in range(ROUNDS):
            yield {"V7": _measure_peak(long) / _measure_peak(short.path)}


def _measure_peak(film: Path) -> int:
    output = subprocess.run(
        [sys.executable, "-m", "bench.one_pass", str(film)], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    return int(output.split()[-1])


GROUP = Group(
    (Goal("V7", "peak memory of scene detection in a two-hour film (two rounds)", "in a two-minute film", 1.2, at_least=False),),
    run_rounds,
    is_long=True,
)
