"""Write what was computed: vectors, empty inputs and failures, a few statements a batch whatever its size."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from reprocess.copying import copy_rows, halfvec_cells, time_cell, uuid_cell
from reprocess.steps.base import Work
from videos.models import EmbeddingSpace, Scene, SceneEmbedding

# Every column but the key, which the database counts.
COPIED = ("scene", "space", "owner", "state", "vector", "input_hash", "error", "run_id", "computed_at")


@dataclass(frozen=True)
class Outcome:
    """What became of one piece of work: a vector, an error, or neither when there was nothing to embed."""

    scene: Scene
    work: Work
    vector: NDArray[np.float32] | None = None
    error: str = ""

    @property
    def hash_field(self) -> str:
        """The field in which the scene holds the hash of this channel's input."""
        return f"{self.work.channel}_hash"

    @property
    def state(self) -> str:
        """The state of the row that records it."""
        if self.error:
            return SceneEmbedding.State.FAILED
        return SceneEmbedding.State.EMPTY if self.vector is None else SceneEmbedding.State.EMBEDDED


def write_outcomes(outcomes: Iterable[Outcome], spaces: dict[str, EmbeddingSpace], run_id: UUID | None) -> None:
    """Write one row per outcome in place of those that are there. Call it within a transaction.

    Scenes that were deleted meanwhile, and channels of which somebody changed the input, are left out: the latter stay stale.
    """
    kept = _of_today(list(outcomes))
    now = timezone.now()
    for channel in {outcome.work.channel for outcome in kept}:
        of_channel = [outcome for outcome in kept if outcome.work.channel == channel]
        scenes = [outcome.work.scene_id for outcome in of_channel]
        SceneEmbedding.objects.filter(scene__in=scenes, space=spaces[channel]).delete()
        _copy([outcome for outcome in of_channel if outcome.state == SceneEmbedding.State.EMBEDDED], spaces[channel], run_id, now)
    SceneEmbedding.objects.bulk_create(
        SceneEmbedding(
            scene_id=outcome.work.scene_id,
            space=spaces[outcome.work.channel],
            owner_id=outcome.work.owner_id,
            state=outcome.state,
            input_hash=outcome.work.input_hash,
            error=outcome.error,
            run_id=run_id,
            computed_at=now,
        )
        for outcome in kept
        if outcome.state != SceneEmbedding.State.EMBEDDED
    )
    _correct_hashes(kept)


def _of_today(outcomes: list[Outcome]) -> list[Outcome]:
    """Lock the scenes until the transaction ends and return the outcomes whose input is still the one that was read."""
    fields = sorted({outcome.hash_field for outcome in outcomes})
    wanted = {outcome.work.scene_id for outcome in outcomes}
    # In key order, so that two writers cannot wait for each other; whoever comes second then replaces what the first has written.
    locked = Scene.objects.select_for_update(no_key=True).filter(pk__in=wanted).order_by("pk").values_list("pk", *fields)
    now = {(scene_id, field): value for scene_id, *values in locked for field, value in zip(fields, values, strict=True)}
    return [
        outcome
        for outcome in outcomes
        if now.get((outcome.work.scene_id, outcome.hash_field)) == getattr(outcome.scene, outcome.hash_field)
    ]


def _copy(embedded: list[Outcome], space: EmbeddingSpace, run_id: UUID | None, now: datetime) -> None:
    if not embedded:
        return
    vectors = halfvec_cells([outcome.vector for outcome in embedded if outcome.vector is not None])
    of_space, of_run, state, computed_at = uuid_cell(space.pk), uuid_cell(run_id), SceneEmbedding.State.EMBEDDED.value, time_cell(now)
    rows = (
        (uuid_cell(work.scene_id), of_space, uuid_cell(work.owner_id), state, vector, work.input_hash, "", of_run, computed_at)
        for work, vector in zip((outcome.work for outcome in embedded), vectors, strict=True)
    )
    copy_rows(SceneEmbedding, COPIED, rows)


def _correct_hashes(outcomes: list[Outcome]) -> None:
    """Bring the scenes' hashes to what was composed now, where the way of composing has changed since they were written."""
    changed: dict[str, list[Scene]] = {}
    for outcome in outcomes:
        if getattr(outcome.scene, outcome.hash_field) != outcome.work.input_hash:
            setattr(outcome.scene, outcome.hash_field, outcome.work.input_hash)
            changed.setdefault(outcome.hash_field, []).append(outcome.scene)
    for field, scenes in changed.items():
        Scene.objects.bulk_update(scenes, [field])
