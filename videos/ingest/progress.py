"""The progress of an ingest as one number."""

from collections.abc import Sequence
from dataclasses import dataclass

from videos.registry import find_stage


@dataclass(frozen=True)
class StageProgress:
    """A stage, and the share of it that is done (0 to 1)."""

    stage: str
    done: bool
    progress: float


def compute_percent(stages: Sequence[StageProgress]) -> int:
    """Return the weighted progress of all stages, 0 to 100. It is 100 only when every stage is done."""
    total = sum(_get_weight(stage.stage) for stage in stages)
    if not total:
        return 0
    done = sum(_get_weight(stage.stage) * (1.0 if stage.done else stage.progress) for stage in stages)
    return 100 if all(stage.done for stage in stages) else min(99, int(100 * done / total))


def find_current_stage(stages: Sequence[StageProgress]) -> str:
    """Return the first stage that is not done, or an empty string."""
    return next((stage.stage for stage in stages if not stage.done), "")


def _get_weight(name: str) -> float:
    stage = find_stage(name)
    return stage.weight if stage else 1
