"""P6: rows written by the engine, against COPY of the same vectors."""

import random
from collections.abc import Iterator, Mapping
from time import perf_counter
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from bench.benchmark import Goal, Group
from bench.installation import empty_database
from bench.library import make_library

if TYPE_CHECKING:
    from reprocess.steps.embedding_task import Outcome

ROUNDS = 7
VIDEOS, SCENES = 100, 100
DIMENSIONS = 384
# The batch size of the embedder over OpenAI's protocol.
BATCH = 1024


def run_rounds() -> Iterator[Mapping[str, float]]:
    """Yield rows per second as a ratio."""
    from reprocess.spec import get_effective_spec
    from videos.models import SceneEmbedding

    empty_database()
    make_library(VIDEOS, SCENES, texts=False, images=False)
    configured, channel = get_effective_spec().list_channels()[0]
    space = configured.ensure_space(channel)
    outcomes = _make_outcomes(channel)
    for _ in range(ROUNDS):
        ours = _measure_engine(outcomes, space)
        table = _read_table()
        SceneEmbedding.objects.all().delete()
        _vacuum()
        copied = _measure_copy(table)
        SceneEmbedding.objects.all().delete()
        _vacuum()
        yield {"P6": ours / copied}


def _make_outcomes(channel: str) -> "list[Outcome]":
    import numpy as np

    from reprocess.steps.embedding_task import EmbeddingTask, Outcome
    from videos.models import Scene, SceneInput

    noise = np.random.default_rng(0)
    outcomes = []
    for scene in Scene.objects.all():
        # The stored hash matches the computed input, so no hash is written.
        SceneInput.objects.update_or_create(scene=scene, channel=channel, defaults={"owner_id": scene.owner_id, "hash": "c" * 64})
        vector = noise.normal(size=DIMENSIONS).astype(np.float32)
        outcomes.append(Outcome(scene, EmbeddingTask(scene.pk, scene.owner_id, channel, "c" * 64, "c" * 64, "text"), vector=vector))
    # The engine orders them by text length.
    random.Random(0).shuffle(outcomes)
    return outcomes


def _measure_engine(outcomes: "list[Outcome]", space: Any) -> float:
    """Return the rows per second of batches with the run's counters, each in one transaction under a lease."""
    from bench.runs import queue_run
    from heimdex.leases import Lease
    from reprocess.models import ReprocessItem, ReprocessRun
    from reprocess.planning.targets import SCENES
    from reprocess.runs.engine import Batch
    from reprocess.runs.state import record_usage
    from reprocess.runs.vectors import replace_embeddings
    from reprocess.spec import get_effective_spec

    run = ReprocessRun.objects.get(pk=queue_run())
    spec = get_effective_spec()
    token = uuid4()
    run.items.update(lease_token=token)
    lease = Lease(ReprocessItem, token, frozenset(run.items.values_list("pk", flat=True)))
    began = perf_counter()
    for first in range(0, len(outcomes), BATCH):
        batch = tuple(outcomes[first : first + BATCH])
        with lease.transaction():
            replace_embeddings(SCENES, batch, {space.channel: space}, run.pk)
            record_usage(run, spec, Batch("scene_text", batch, len(batch), 8, 1000, 1.0))
    seconds = perf_counter() - began
    run.delete()
    return len(outcomes) / seconds


def _read_table() -> bytes:
    """Return the table in COPY's binary format."""
    from django.db import connection

    with connection.cursor() as cursor, cursor.copy("COPY videos_sceneembedding TO STDOUT (FORMAT binary)") as copy:
        return b"".join(bytes(block) for block in copy)


def _measure_copy(rows: bytes) -> float:
    from django.db import connection

    began = perf_counter()
    with connection.cursor() as cursor, cursor.copy("COPY videos_sceneembedding FROM STDIN (FORMAT binary)") as copy:
        copy.write(rows)
    return VIDEOS * SCENES / (perf_counter() - began)


def _vacuum() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE videos_sceneembedding")


GROUP = Group(
    (Goal("P6", "rows written: vectors, state and counters, in batches of 1024", "COPY of the same rows, same indexes", 0.5),), run_rounds
)
