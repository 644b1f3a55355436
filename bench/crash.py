"""P10: how long a run stops after its workers were killed, and how much it recomputes."""

import json
from collections.abc import Iterator, Mapping
from urllib.request import urlopen
from uuid import UUID

from bench.benchmark import Goal, Group
from bench.installation import empty_database
from bench.library import make_library
from bench.runs import count_inputs, delete_vectors, queue_run
from bench.text import CHANNELS
from bench.workers import run_workers, use_slow_embedder, wait_until

ROUNDS = 5
VIDEOS, SCENES = 8, 25
BATCH = 16
LATENCY_S = 0.5


def run_rounds() -> Iterator[Mapping[str, float]]:
    """Yield the seconds from the kill to the next batch. Raise RuntimeError when more than one batch is recomputed."""
    from heimdex.queue import REPROCESS
    from reprocess.models import ReprocessRun

    empty_database()
    make_library(VIDEOS, SCENES, texts=True, images=False)
    with use_slow_embedder(LATENCY_S, BATCH, concurrency=1) as url, run_workers(REPROCESS) as running:
        for _ in range(ROUNDS):
            delete_vectors(*CHANNELS)
            sent = _count_sent(url)
            run_id = queue_run()
            wait_until(lambda: _count_written(run_id) > 2 * BATCH, "no worker takes the run")  # noqa: B023 - called at once
            running[REPROCESS].kill()
            written_at_kill = _count_written(run_id)
            stopped_s = wait_until(lambda: _count_written(run_id) > written_at_kill, "no worker continues after the kill")  # noqa: B023
            wait_until(lambda: ReprocessRun.objects.get(pk=run_id).finished_at is not None, "the run does not end")  # noqa: B023
            recomputed = _count_sent(url) - sent - count_inputs(run_id)
            if recomputed > BATCH:
                raise RuntimeError(f"{recomputed} texts were recomputed; a batch has {BATCH}")
            yield {"P10": stopped_s}


def _count_sent(url: str) -> int:
    with urlopen(url) as answer:
        texts: int = json.load(answer)["texts"]
    return texts


def _count_written(run_id: UUID) -> int:
    from videos.models import SceneEmbedding

    return SceneEmbedding.objects.filter(run_id=run_id).exclude(state=SceneEmbedding.State.EMPTY).count()


GROUP = Group(
    (
        Goal(
            "P10",
            "from SIGKILL of all of a run's workers to its next batch, default lease (at most one batch computed again)",
            "–",
            60.0,
            unit="s",
            at_least=False,
        ),
    ),
    run_rounds,
)
