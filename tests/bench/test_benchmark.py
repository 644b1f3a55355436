"""The report of the benchmarks shows what was measured, and is never ok without a measurement."""

import json
from dataclasses import replace

import pytest

from bench.__main__ import RESULTS, find_groups, merge_results, run_group
from bench.benchmark import BenchmarkUnavailable, Goal, Group, select_groups, summarize_rounds

FAST = Goal("P1", "ours", "theirs", 3.0)
SMALL = Goal("P2", "ours", "theirs", 5.0, at_least=False)


def test_the_value_is_the_median_of_the_rounds_and_is_held_against_the_goal() -> None:
    rounds = [{"P1": 2.9, "P2": 9.0}, {"P1": 3.1, "P2": 4.0}, {"P1": 30.0, "P2": 4.5}]
    fast, small = summarize_rounds([FAST, SMALL], rounds)
    assert fast.as_data() == {
        "id": "P1",
        "what": "ours",
        "against": "theirs",
        "value": 3.1,
        "goal": 3.0,
        "unit": "x",
        "ok": True,
        "rounds": [2.9, 3.1, 30.0],
    }
    assert (small.value, small.is_ok) == (4.5, True)
    assert not summarize_rounds([SMALL], [{"P2": 5.1}])[0].is_ok


def test_a_benchmark_that_cannot_run_reports_the_reason_and_is_not_ok(capsys: pytest.CaptureFixture[str]) -> None:
    def rounds():  # type: ignore[no-untyped-def]
        yield {"P1": 100.0}
        raise BenchmarkUnavailable("There is no such model here.")

    (result,) = run_group(Group((FAST,), rounds))
    assert not result.is_ok
    assert result.as_data()["value"] is None
    assert "There is no such model here." in result.as_data()["why"]


def test_every_goal_is_found_once_and_can_be_asked_for() -> None:
    groups = find_groups()
    ids = [goal.id for group in groups for goal in group.goals]
    assert sorted(set(ids)) == sorted(ids)
    assert {"P1", "P2", "P3", "P4", "P5", "P6"} <= set(ids)
    assert [goal.id for group in select_groups(groups, ["P2"]) for goal in group.goals] == ["P1", "P2"]
    short, long = select_groups(groups, []), select_groups(groups, [], is_long=True)
    assert sorted([*short, *long], key=groups.index) == groups
    assert [goal.id for group in long for goal in group.goals] == ["L1", "L2", "L3", "L4", "L5", "P7", "V7"]
    with pytest.raises(BenchmarkUnavailable, match="no benchmark P99"):
        select_groups(groups, ["P99"])


def test_the_recorded_results_are_judged_by_the_goals_of_today() -> None:
    goals = {goal.id: goal for group in find_groups() for goal in group.goals}
    for result in json.loads(RESULTS.read_text()):
        goal = goals[result["id"]]
        # The goal of P2 depends on the processor.
        assert result["goal"] == goal.goal or result["id"] == "P2", result["id"]
        expected = goal if result["id"] != "P2" else replace(goal, goal=result["goal"])
        assert result["ok"] == (result["value"] is not None and expected.is_met(result["value"])), result["id"]


def test_running_some_keeps_what_the_others_came_to() -> None:
    p1, p10 = (goal for group in find_groups() for goal in group.goals if goal.id in {"P1", "P10"})
    earlier = [{"id": "P10", "value": 40.0}, {"id": "P2", "value": 3.5}, {"id": "P1", "value": 0.5}, {"id": "gone", "value": 1.0}]
    now = merge_results(summarize_rounds([p1], [{"P1": 0.91}]), earlier)
    assert [(result["id"], result["value"]) for result in now] == [("P1", 0.91), ("P2", 3.5), ("P10", 40.0)]
    assert p10.sort_key > p1.sort_key
