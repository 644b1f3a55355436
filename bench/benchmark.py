"""The goals of a benchmark, and the results of its rounds. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any


class BenchmarkUnavailable(Exception):
    """A benchmark cannot run here. The message says why."""


@dataclass(frozen=True)
class Goal:
    """A limit for a measured value: what is measured, against what, and the smallest or largest value that meets the goal."""

    id: str
    what: str
    against: str
    goal: float
    unit: str = "x"
    at_least: bool = True

    @property
    def sort_key(self) -> tuple[str, int]:
        """Sorts P2 before P10."""
        return self.id[0], int(self.id[1:])

    def is_met(self, value: float) -> bool:
        """Return whether a value meets the goal."""
        return value >= self.goal if self.at_least else value <= self.goal


@dataclass(frozen=True)
class Group:
    """Goals that are measured together. `run_rounds` yields one mapping per round, from the id of a goal to its value."""

    goals: tuple[Goal, ...]
    run_rounds: Callable[[], Iterator[Mapping[str, float]]]


@dataclass(frozen=True)
class Result:
    """A goal with the values of its rounds, or the reason why there is none."""

    goal: Goal
    rounds: tuple[float, ...]
    why: str = ""

    @property
    def value(self) -> float | None:
        """The median of the rounds. None without rounds."""
        return median(self.rounds) if self.rounds else None

    @property
    def is_ok(self) -> bool:
        """Whether the goal is met. False without a measurement."""
        return self.value is not None and self.goal.is_met(self.value)

    def as_data(self) -> dict[str, Any]:
        """Return the result as results.json stores it."""
        data: dict[str, Any] = {
            "id": self.goal.id,
            "what": self.goal.what,
            "against": self.goal.against,
            "value": None if self.value is None else round(self.value, 4),
            "goal": self.goal.goal,
            "unit": self.goal.unit,
            "ok": self.is_ok,
            "rounds": [round(value, 4) for value in self.rounds],
        }
        return {**data, "why": self.why} if self.why else data


def summarize_rounds(goals: Sequence[Goal], rounds: Sequence[Mapping[str, float]], why: str = "") -> list[Result]:
    """Return one result per goal of a group."""
    return [Result(goal, tuple(ratios[goal.id] for ratios in rounds if goal.id in ratios), why) for goal in goals]


def select_groups(groups: Sequence[Group], only: Sequence[str]) -> list[Group]:
    """Return the groups with one of the ids, or all groups when no id is given. Raise BenchmarkUnavailable for an unknown id."""
    known = [goal.id for group in groups for goal in group.goals]
    if unknown := [name for name in only if name not in known]:
        raise BenchmarkUnavailable(f"There is no benchmark {', '.join(unknown)}. Choose from {', '.join(sorted(known))}.")
    return [group for group in groups if not only or any(goal.id in only for goal in group.goals)]
