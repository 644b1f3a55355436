"""The progress of a video as a percentage."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videos.registry import list_stages
from videos.status import StageProgress, compute_percent, find_current_stage

STAGES = tuple(stage.name for stage in list_stages())

steps = st.builds(StageProgress, st.sampled_from([*STAGES, "a removed stage"]), st.booleans(), st.floats(0, 1))


@given(st.lists(steps, max_size=9))
def test_progress_is_a_percentage_and_100_means_done(stages: list[StageProgress]) -> None:
    shown = compute_percent(stages)
    assert 0 <= shown <= 100
    assert (shown == 100) == (bool(stages) and all(stage.done for stage in stages))


@given(st.lists(steps, min_size=1, max_size=9), st.floats(0, 1))
def test_progress_never_decreases_during_a_stage(stages: list[StageProgress], further: float) -> None:
    first, *others = stages
    later = StageProgress(first.stage, first.done, max(first.progress, further))
    assert compute_percent([later, *others]) >= compute_percent(stages)
    assert compute_percent([StageProgress(first.stage, True, 0.0), *others]) >= compute_percent([later, *others])


@pytest.mark.parametrize(("done", "stage", "shown"), [((), "validate", 0), (("validate", "probe"), "scenes", 4), (STAGES, "", 100)])
def test_stages_count_by_their_weights(done: tuple[str, ...], stage: str, shown: int) -> None:
    stages = [StageProgress(name, name in done, 0.0) for name in STAGES]
    assert (find_current_stage(stages), compute_percent(stages)) == (stage, shown)


def test_a_video_without_stages_has_no_progress() -> None:
    assert (find_current_stage([]), compute_percent([])) == ("", 0)


def test_stage_weights_match_their_time_on_a_cpu() -> None:
    assert {stage.name: stage.weight for stage in list_stages()} == {
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
