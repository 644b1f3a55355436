"""The goals of a benchmark, and the results of its rounds. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any, TypeAlias


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
class Part:
    """One of several figures of a goal, with its own limit, and maybe the interval that contains 95 % of bootstrap draws."""

    what: str
    value: float
    goal: float
    at_least: bool = True
    interval: tuple[float, float] | None = None

    @property
    def margin(self) -> float:
        """How far the value is on the right side of its limit; negative when it misses it."""
        return self.value - self.goal if self.at_least else self.goal - self.value

    def as_data(self) -> dict[str, Any]:
        """Return the part as results.json stores it."""
        data: dict[str, Any] = {"what": self.what, "value": round(self.value, 4), "goal": self.goal, "ok": self.margin >= 0}
        return {**data, "interval": [round(value, 4) for value in self.interval]} if self.interval else data


@dataclass(frozen=True)
class Figure:
    """The value of a goal that has several parts."""

    value: float
    parts: tuple[Part, ...]


def compute_smallest_margin(parts: Sequence[Part]) -> Figure:
    """Return the figure of a goal that is met when every part is: the value is the smallest margin, and the goal is 0."""
    return Figure(min(part.margin for part in parts), tuple(parts))


# From the id of a goal to its value in one round.
Round: TypeAlias = Mapping[str, float | Figure]


@dataclass(frozen=True)
class Group:
    """Goals that are measured together. `run_rounds` yields the values of one round after the other.

    A long group belongs to `make bench-long`.
    """

    goals: tuple[Goal, ...]
    run_rounds: Callable[[], Iterator[Round]]
    is_long: bool = False


@dataclass(frozen=True)
class Result:
    """A goal with the values of its rounds, or the reason why there is none."""

    goal: Goal
    rounds: tuple[float, ...]
    why: str = ""
    # Their values are the medians of the rounds.
    parts: tuple[Part, ...] = ()

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
        if self.parts:
            data["parts"] = [part.as_data() for part in self.parts]
        return {**data, "why": self.why} if self.why else data


def get_value(measured: float | Figure) -> float:
    """Return the value of a figure, or the number itself."""
    return measured.value if isinstance(measured, Figure) else measured


def summarize_rounds(goals: Sequence[Goal], rounds: Sequence[Round], why: str = "") -> list[Result]:
    """Return one result per goal of a group."""
    results = []
    for goal in goals:
        measured = [values[goal.id] for values in rounds if goal.id in values]
        figures = [value for value in measured if isinstance(value, Figure)]
        results.append(Result(goal, tuple(get_value(value) for value in measured), why, _summarize_parts(figures)))
    return results


def _summarize_parts(figures: Sequence[Figure]) -> tuple[Part, ...]:
    """Return the parts of the last round with the medians of all rounds. The interval of a part is that of the last round."""
    every_round = zip(*(figure.parts for figure in figures), strict=True)
    return tuple(replace(parts[-1], value=median(part.value for part in parts)) for parts in every_round)


def select_groups(groups: Sequence[Group], only: Sequence[str], *, is_long: bool = False) -> list[Group]:
    """Return the groups with one of the ids or, when no id is given, all long or all other groups.

    Raise BenchmarkUnavailable for an unknown id.
    """
    known = [goal.id for group in groups for goal in group.goals]
    if unknown := [name for name in only if name not in known]:
        raise BenchmarkUnavailable(f"There is no benchmark {', '.join(unknown)}. Choose from {', '.join(sorted(known))}.")
    if not only:
        return [group for group in groups if group.is_long == is_long]
    return [group for group in groups if any(goal.id in only for goal in group.goals)]
