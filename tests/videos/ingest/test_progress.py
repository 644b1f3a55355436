"""How far a video is, as one number."""

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from videos.ingest.progress import WEIGHTS, StageProgress, current_stage, percent

steps = st.builds(StageProgress, st.sampled_from([*WEIGHTS, "a stage to come"]), st.booleans(), st.floats(0, 1))


def test_every_stage_has_a_weight() -> None:
    assert set(WEIGHTS) == set(settings.INGEST_STAGES)


@given(st.lists(steps, max_size=9))
def test_it_is_a_percentage_and_100_means_done(stages: list[StageProgress]) -> None:
    shown = percent(stages)
    assert 0 <= shown <= 100
    assert (shown == 100) == (bool(stages) and all(stage.done for stage in stages))


@given(st.lists(steps, min_size=1, max_size=9), st.floats(0, 1))
def test_it_never_falls_while_a_stage_goes_on(stages: list[StageProgress], further: float) -> None:
    first, *others = stages
    later = StageProgress(first.stage, first.done, max(first.progress, further))
    assert percent([later, *others]) >= percent(stages)
    assert percent([StageProgress(first.stage, True, 0.0), *others]) >= percent([later, *others])


@pytest.mark.parametrize(
    ("done", "stage", "shown"), [((), "validate", 0), (("validate", "probe"), "scenes", 4), (tuple(settings.INGEST_STAGES), "", 100)]
)
def test_stages_count_by_the_time_they_take(done: tuple[str, ...], stage: str, shown: int) -> None:
    stages = [StageProgress(name, name in done, 0.0) for name in settings.INGEST_STAGES]
    assert (current_stage(stages), percent(stages)) == (stage, shown)


def test_a_video_without_stages_has_not_begun() -> None:
    assert (current_stage([]), percent([])) == ("", 0)
