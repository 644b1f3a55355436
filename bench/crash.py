"""P10: how long a run stands still after its workers were killed, and what they compute again."""

import json
from collections.abc import Iterator, Mapping
from urllib.request import urlopen
from uuid import UUID

from bench.benchmark import Goal, Group
from bench.installation import empty_database
from bench.library import make_library
from bench.runs import forget, inputs_of, start
from bench.text import CHANNELS
from bench.workers import slow_embedder, wait_until, workers

ROUNDS = 5
VIDEOS, SCENES = 8, 25
BATCH = 16
LATENCY_S = 0.5


def rounds() -> Iterator[Mapping[str, float]]:
    """Yield the seconds from the kill to the next batch; RuntimeError when more than one batch is computed again."""
    from heimdex.queue import REPROCESS
    from reprocess.models import ReprocessRun

    empty_database()
    make_library(VIDEOS, SCENES, texts=True, pictures=False)
    with slow_embedder(LATENCY_S, BATCH, concurrency=1) as url, workers(REPROCESS) as running:
        for _ in range(ROUNDS):
            forget(*CHANNELS)
            sent = _sent(url)
            run_id = start()
            wait_until(lambda: _written(run_id) > 2 * BATCH, "no worker takes the run up")  # noqa: B023 - called at once
            running[REPROCESS].kill()
            at_the_kill = _written(run_id)
            still_s = wait_until(lambda: _written(run_id) > at_the_kill, "nobody goes on after the kill")  # noqa: B023
            wait_until(lambda: ReprocessRun.objects.get(pk=run_id).finished_at is not None, "the run does not end")  # noqa: B023
            again = _sent(url) - sent - inputs_of(run_id)
            if again > BATCH:
                raise RuntimeError(f"{again} texts were computed again; a batch is {BATCH}")
            yield {"P10": still_s}


def _sent(url: str) -> int:
    with urlopen(url) as answer:
        texts: int = json.load(answer)["texts"]
    return texts


def _written(run_id: UUID) -> int:
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
    rounds,
)
