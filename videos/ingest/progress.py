"""How far a video is, as one number. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

# Roughly the share of the whole time that each stage takes on a CPU; stages that are not named weigh 1.
WEIGHTS = {
    "validate": 2,
    "probe": 3,
    "scenes": 30,
    "transcript": 40,
    "on_screen": 10,
    "description": 12,
    "summary": 1,
    "embed": 12,
    "index": 1,
}


@dataclass(frozen=True)
class StageProgress:
    """One stage: its name, whether it is done, and otherwise the share that is (0 to 1)."""

    stage: str
    done: bool
    progress: float


def percent(stages: Sequence[StageProgress]) -> int:
    """Return the weighted progress of all stages, 0 to 100; 100 only when every stage is done."""
    total = sum(WEIGHTS.get(stage.stage, 1) for stage in stages)
    if not total:
        return 0
    reached = sum(WEIGHTS.get(stage.stage, 1) * (1.0 if stage.done else stage.progress) for stage in stages)
    whole = all(stage.done for stage in stages)
    return 100 if whole else min(99, int(100 * reached / total))


def current_stage(stages: Sequence[StageProgress]) -> str:
    """Return the first stage that is not done, or nothing."""
    return next((stage.stage for stage in stages if not stage.done), "")
