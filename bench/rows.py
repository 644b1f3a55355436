"""P6: rows written as the engine writes them, against COPY of the same vectors."""

import random
from collections.abc import Iterator, Mapping
from time import perf_counter
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from bench.benchmark import Goal, Group
from bench.installation import empty_database
from bench.library import make_library

if TYPE_CHECKING:
    from reprocess.work import Outcome

ROUNDS = 7
VIDEOS, SCENES = 100, 100
DIMENSIONS = 384
# What the embedder over OpenAI's protocol hands over at once.
BATCH = 1024


def rounds() -> Iterator[Mapping[str, float]]:
    """Yield rows per second as a ratio."""
    from reprocess.spec import effective_spec
    from videos.models import SceneEmbedding

    empty_database()
    make_library(VIDEOS, SCENES, texts=False, pictures=False)
    configured, channel = effective_spec().channels()[0]
    space = configured.space(channel)
    outcomes = _outcomes(channel)
    for _ in range(ROUNDS):
        ours = _written(outcomes, space)
        kept = _rows()
        SceneEmbedding.objects.all().delete()
        _vacuum()
        copied = _copied(kept)
        SceneEmbedding.objects.all().delete()
        _vacuum()
        yield {"P6": ours / copied}


def _outcomes(channel: str) -> "list[Outcome]":
    import numpy as np

    from reprocess.work import Outcome, Work
    from videos.models import Scene

    noise = np.random.default_rng(0)
    outcomes = []
    for scene in Scene.objects.all():
        # What was computed is what the scene's hash says, so that the scene is not written.
        scene.transcript_hash = "c" * 64
        scene.save(update_fields=["transcript_hash"])
        vector = noise.normal(size=DIMENSIONS).astype(np.float32)
        outcomes.append(Outcome(scene, Work(scene.pk, scene.owner_id, channel, scene.transcript_hash, "text"), vector=vector))
    # In the order of their texts' lengths, as the engine has them.
    random.Random(0).shuffle(outcomes)
    return outcomes


def _written(outcomes: "list[Outcome]", space: Any) -> float:
    """Write in batches with the run's counters, each in one transaction under a lease."""
    from django.db import transaction

    from bench.runs import start
    from heimdex.leases import hold
    from reprocess.charges import charge
    from reprocess.engine import Batch
    from reprocess.models import ReprocessItem, ReprocessRun
    from reprocess.spec import effective_spec
    from reprocess.subjects import SCENES
    from reprocess.vectors import write_outcomes

    run = ReprocessRun.objects.get(pk=start())
    spec = effective_spec()
    token = uuid4()
    run.items.update(lease_token=token)
    began = perf_counter()
    for first in range(0, len(outcomes), BATCH):
        batch = tuple(outcomes[first : first + BATCH])
        with transaction.atomic():
            hold(ReprocessItem, token)
            write_outcomes(SCENES, batch, {space.channel: space}, run.pk)
            charge(run, spec, Batch("scene_text", batch, len(batch), 8, 1000, 1.0))
    seconds = perf_counter() - began
    run.delete()
    return len(outcomes) / seconds


def _rows() -> bytes:
    """Return the table as COPY's binary form."""
    from django.db import connection

    with connection.cursor() as cursor, cursor.copy("COPY videos_sceneembedding TO STDOUT (FORMAT binary)") as copy:
        return b"".join(bytes(block) for block in copy)


def _copied(rows: bytes) -> float:
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
    (Goal("P6", "rows written: vectors, state and counters, in batches of 1024", "COPY of the same rows, same indexes", 0.5),), rounds
)
