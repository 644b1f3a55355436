"""`python -m bench [P1 P2 …]`: run all benchmarks or some, print how they stand, and write bench/results.json.

Running some replaces their results and keeps the others'.
"""

import json
import pkgutil
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table

from bench.benchmark import CannotRunError, Group, Result, chosen, results_of
from bench.installation import installation

RESULTS = Path(__file__).with_name("results.json")


def all_groups() -> list[Group]:
    """Find every module of this package that holds a GROUP."""
    import bench

    modules = [import_module(f"bench.{info.name}") for info in pkgutil.iter_modules(bench.__path__) if info.name != "__main__"]
    return sorted((module.GROUP for module in modules if hasattr(module, "GROUP")), key=lambda group: group.goals[0].place)


def measured(group: Group) -> list[Result]:
    """Run a group; what keeps it from running becomes part of its results."""
    rounds: list[Mapping[str, float]] = []
    why = ""
    try:
        for ratios in group.rounds():
            say("  " + "  ".join(f"{name} {value:.3f}" for name, value in ratios.items()))
            rounds = [*rounds, ratios]
    except Exception as error:  # noqa: BLE001 - one benchmark that breaks must not hide the others
        why = f"{type(error).__name__}: {error}"
        rounds = []
    return results_of(group.goals, rounds, why)


def say(what: RenderableType) -> None:
    """Print a line or a table."""
    Console(highlight=False).print(what)


def show(results: list[Result]) -> None:
    """Print the table."""
    table = Table("", "what", "against", "median", "min – max", "goal", "")
    for result in results:
        goal = result.goal
        value = "–" if result.value is None else f"{result.value:.2f}"
        spread = f"{min(result.rounds):.2f} – {max(result.rounds):.2f}" if result.rounds else result.why
        wanted = f"{'≥' if goal.at_least else '≤'} {goal.goal:g}"
        table.add_row(goal.id, goal.what, goal.against, value, spread, wanted, "[green]ok[/]" if result.ok else "[red]short[/]")
    say(table)


def merged(results: list[Result], earlier: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what results.json holds now: what was measured, and of earlier runs what was not measured again. Pure."""
    data = {result.goal.id: result.as_data() for result in results}
    places = {goal.id: goal.place for group in all_groups() for goal in group.goals}
    kept = {one["id"]: one for one in earlier if one["id"] in places}
    return [one for _, one in sorted((kept | data).items(), key=lambda item: places[item[0]])]


def main(only: list[str]) -> int:
    """Run what is asked for; 0 even where a goal is short, because this reports. 2 for an id that does not exist."""
    try:
        groups = chosen(all_groups(), only)
    except CannotRunError as error:
        say(str(error))
        return 2
    results: list[Result] = []
    with installation():
        for group in groups:
            say(", ".join(goal.id for goal in group.goals))
            results.extend(measured(group))
    show(results)
    RESULTS.write_text(json.dumps(merged(results, json.loads(RESULTS.read_text())), indent=2, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
