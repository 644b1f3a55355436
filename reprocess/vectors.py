"""Write what was computed: vectors, empty inputs and failures, one multi-row statement a batch."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from reprocess.steps.base import Work
from reprocess.vector_text import QuickHalfVector
from videos.models import EmbeddingSpace, Scene, SceneEmbedding


@dataclass(frozen=True)
class Outcome:
    """What became of one piece of work: a vector, an error, or neither when there was nothing to embed."""

    scene: Scene
    work: Work
    vector: NDArray[np.float32] | None = None
    error: str = ""

    @property
    def state(self) -> str:
        """The state of the row that records it."""
        if self.error:
            return SceneEmbedding.State.FAILED
        return SceneEmbedding.State.EMPTY if self.vector is None else SceneEmbedding.State.EMBEDDED


def write_outcomes(outcomes: Iterable[Outcome], spaces: dict[str, EmbeddingSpace], run_id: UUID | None) -> None:
    """Insert or replace one row per outcome; scenes that were deleted meanwhile are left out. Call it within a transaction."""
    outcomes = list(outcomes)
    wanted = {outcome.work.scene_id for outcome in outcomes}
    # In key order, so that two writers cannot wait for each other.
    alive = set(Scene.objects.select_for_update(no_key=True).filter(pk__in=wanted).order_by("pk").values_list("pk", flat=True))
    now = timezone.now()
    rows = [
        SceneEmbedding(
            scene_id=outcome.work.scene_id,
            space=spaces[outcome.work.channel],
            owner_id=outcome.work.owner_id,
            state=outcome.state,
            vector=None if outcome.vector is None else QuickHalfVector(outcome.vector),
            input_hash=outcome.work.input_hash,
            error=outcome.error,
            run_id=run_id,
            computed_at=now,
        )
        for outcome in outcomes
        if outcome.work.scene_id in alive
    ]
    SceneEmbedding.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["scene", "space"],
        update_fields=["state", "vector", "input_hash", "error", "run_id", "computed_at"],
    )
    _correct_hashes(outcomes, alive)


def _correct_hashes(outcomes: list[Outcome], alive: set[UUID]) -> None:
    """Bring the scenes' hashes to what was composed now, where the way of composing has changed since they were written."""
    changed: dict[UUID, Scene] = {}
    fields = set()
    for outcome in outcomes:
        field = f"{outcome.work.channel}_hash"
        if outcome.work.scene_id in alive and getattr(outcome.scene, field) != outcome.work.input_hash:
            setattr(outcome.scene, field, outcome.work.input_hash)
            changed[outcome.scene.pk] = outcome.scene
            fields.add(field)
    if changed:
        Scene.objects.bulk_update(changed.values(), sorted(fields))
