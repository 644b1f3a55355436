"""What a benchmark is, and what its rounds come to. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any


class CannotRunError(Exception):
    """A benchmark cannot run here; the text says why."""


@dataclass(frozen=True)
class Goal:
    """A ratio that is wanted: of what, measured against what, and at least or at most how much."""

    id: str
    what: str
    against: str
    goal: float
    unit: str = "x"
    at_least: bool = True

    @property
    def place(self) -> tuple[str, int]:
        """Where it stands among others: P2 before P10."""
        return self.id[0], int(self.id[1:])

    def met(self, value: float) -> bool:
        """Tell whether a value reaches the goal."""
        return value >= self.goal if self.at_least else value <= self.goal


@dataclass(frozen=True)
class Group:
    """Goals that one measurement answers; `rounds` yields one interleaved round after the other, each a ratio by goal."""

    goals: tuple[Goal, ...]
    rounds: Callable[[], Iterator[Mapping[str, float]]]


@dataclass(frozen=True)
class Result:
    """A goal with the ratios of its rounds, or the reason why there are none."""

    goal: Goal
    rounds: tuple[float, ...]
    why: str = ""

    @property
    def value(self) -> float | None:
        """The median of the rounds."""
        return median(self.rounds) if self.rounds else None

    @property
    def ok(self) -> bool:
        """Whether the goal is reached; never without a measurement."""
        return self.value is not None and self.goal.met(self.value)

    def as_data(self) -> dict[str, Any]:
        """Return what results.json holds."""
        data: dict[str, Any] = {
            "id": self.goal.id,
            "what": self.goal.what,
            "against": self.goal.against,
            "value": None if self.value is None else round(self.value, 4),
            "goal": self.goal.goal,
            "unit": self.goal.unit,
            "ok": self.ok,
            "rounds": [round(value, 4) for value in self.rounds],
        }
        return {**data, "why": self.why} if self.why else data


def results_of(goals: Sequence[Goal], rounds: Sequence[Mapping[str, float]], why: str = "") -> list[Result]:
    """Turn a group's rounds into one result per goal."""
    return [Result(goal, tuple(ratios[goal.id] for ratios in rounds if goal.id in ratios), why) for goal in goals]


def chosen(groups: Sequence[Group], only: Sequence[str]) -> list[Group]:
    """Keep the groups that answer one of the ids, all of them when no id is named; CannotRunError names an id that nobody answers."""
    known = [goal.id for group in groups for goal in group.goals]
    if unknown := [name for name in only if name not in known]:
        raise CannotRunError(f"There is no benchmark {', '.join(unknown)}; there are {', '.join(sorted(known))}.")
    return [group for group in groups if not only or any(goal.id in only for goal in group.goals)]
