"""P11: four workers on one run of 400 scenes, with a model that waits, against one worker."""

import json
from collections.abc import Iterator, Mapping
from urllib.request import urlopen

from bench.benchmark import Goal, Group
from bench.installation import empty_database
from bench.library import make_library
from bench.runs import delete_vectors, queue_run
from bench.text import CHANNELS
from bench.workers import run_workers, use_slow_embedder, wait_until

ROUNDS = 5
VIDEOS, SCENES = 16, 25
BATCH = 16
LATENCY_S = 0.5
MAX_CALLS = 1.05


def run_rounds() -> Iterator[Mapping[str, float]]:
    """Yield how many times as fast four workers are as one. Raise RuntimeError when they call the model more often."""
    empty_database()
    make_library(VIDEOS, SCENES, texts=True, images=False)
    with use_slow_embedder(LATENCY_S, BATCH, concurrency=1) as url:
        for _ in range(ROUNDS):
            seconds, calls = _measure(url, workers=1)
            seconds_of_four, calls_of_four = _measure(url, workers=4)
            if calls_of_four > MAX_CALLS * calls:
                raise RuntimeError(f"Four workers called the model {calls_of_four} times, one {calls} times")
            yield {"P11": seconds / seconds_of_four}


def _measure(url: str, workers: int) -> tuple[float, int]:
    """Return the seconds from a run's first call of the model to its end, and the number of calls.

    Before the first call, each process loads its code, which takes seconds.
    """
    from heimdex.queue import REPROCESS
    from reprocess.models import ReprocessRun

    delete_vectors(*CHANNELS)
    with run_workers(REPROCESS, reprocess_workers=workers) as running:
        wait_until(running[REPROCESS].have_started, "the workers do not start")
        calls = _count_calls(url)
        run = ReprocessRun.objects.get(pk=queue_run())
        wait_until(lambda: _count_calls(url) > calls, "no worker takes the run")
        seconds = wait_until(lambda: ReprocessRun.objects.get(pk=run.pk).finished_at is not None, "the run does not end")
    run.refresh_from_db()
    if run.state != ReprocessRun.State.SUCCEEDED:
        raise RuntimeError(f"The run ended as {run.state}: {run.error}")
    return seconds, _count_calls(url) - calls


def _count_calls(url: str) -> int:
    with urlopen(url) as answer:
        calls: int = json.load(answer)["calls"]
    return calls


GROUP = Group(
    (
        Goal(
            "P11",
            "four workers on one run of 400 scenes, with a model that answers after half a second (at most 5 % more calls)",
            "one worker",
            3.6,
        ),
    ),
    run_rounds,
)
