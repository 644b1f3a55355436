"""P7: a worker's peak memory over a long run, against its peak over the first thousand scenes."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from time import sleep
from uuid import UUID

from bench.benchmark import Goal, Group
from bench.installation import empty_database
from bench.library import make_library
from bench.runs import queue_run
from bench.workers import ROOT, use_slow_embedder

# A run takes minutes, so there is one round. Its peak is the maximum of thousands of samples.
VIDEOS, SCENES = 2_000, 50
FIRST_VIDEOS = 1_000 // SCENES
SAMPLE_S = 0.02


def run_rounds() -> Iterator[Mapping[str, float]]:
    """Yield the peak of the whole run as a ratio. Raise RuntimeError unless the run succeeds."""
    empty_database()
    make_library(VIDEOS, SCENES, texts=True, images=False)
    with use_slow_embedder(0.0, batch_size=128, concurrency=2):
        early, late = _measure_peaks(queue_run())
    yield {"P7": late / early}


def _measure_peaks(run_id: UUID) -> tuple[int, int]:
    """Return a worker's peak memory in bytes over the first thousand scenes, and over all scenes."""
    import psutil

    from reprocess.models import ReprocessItem, ReprocessRun

    done = ReprocessItem.objects.filter(run_id=run_id, state=ReprocessItem.State.DONE)
    early = late = 0
    with subprocess.Popen([sys.executable, "-m", "bench.one_run", str(run_id)], cwd=ROOT) as process:
        memory = psutil.Process(process.pid).memory_info
        first = True
        while process.poll() is None:
            late = max(late, memory().rss)
            if first:
                early = late
                first = done.count() < FIRST_VIDEOS
            sleep(SAMPLE_S)
    run = ReprocessRun.objects.get(pk=run_id)
    if run.state != ReprocessRun.State.SUCCEEDED:
        raise RuntimeError(f"The run ended as {run.state}: {run.error}")
    return early, late


GROUP = Group(
    (
        Goal(
            "P7",
            "worker's peak memory over a run of 100,000 text scenes (one round)",
            "its peak over the first 1,000",
            1.05,
            at_least=False,
        ),
    ),
    run_rounds,
    is_long=True,
)
