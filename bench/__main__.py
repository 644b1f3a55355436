"""`python -m bench [--long] [P1 P2 …]`: run benchmarks, print the results, and write bench/results.json.

Without ids, those run that take minutes or, with --long, those that take longer. The earlier results of the others are kept.
"""

import json
import pkgutil
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.table import Table

from bench.benchmark import BenchmarkUnavailable, Group, Result, Round, get_value, select_groups, summarize_rounds
from bench.installation import set_up_installation

RESULTS = Path(__file__).with_name("results.json")
LONG = "--long"


def find_groups() -> list[Group]:
    """Return the GROUP of every module of this package that has one."""
    import bench

    modules = [import_module(f"bench.{info.name}") for info in pkgutil.iter_modules(bench.__path__) if info.name != "__main__"]
    return sorted((module.GROUP for module in modules if hasattr(module, "GROUP")), key=lambda group: group.goals[0].sort_key)


def run_group(group: Group) -> list[Result]:
    """Run a group. An exception becomes the reason in its results."""
    rounds: list[Round] = []
    why = ""
    try:
        for values in group.run_rounds():
            show("  " + "  ".join(f"{name} {get_value(value):.3f}" for name, value in values.items()))
            rounds = [*rounds, values]
    except Exception as error:  # noqa: BLE001 - a failing benchmark must not hide the others
        why = f"{type(error).__name__}: {error}"
        rounds = []
    return summarize_rounds(group.goals, rounds, why)


def show(content: RenderableType) -> None:
    """Print a line or a table."""
    Console(highlight=False).print(content)


def show_results(results: list[Result]) -> None:
    """Print the table of results."""
    table = Table("", "what", "against", "median", "min – max", "goal", "")
    for result in results:
        goal = result.goal
        value = "–" if result.value is None else f"{result.value:.2f}"
        spread = f"{min(result.rounds):.2f} – {max(result.rounds):.2f}" if result.rounds else result.why
        limit = f"{'≥' if goal.at_least else '≤'} {goal.goal:g}"
        table.add_row(goal.id, goal.what, goal.against, value, spread, limit, "[green]ok[/]" if result.is_ok else "[red]short[/]")
    show(table)
    for result in results:
        for part in result.parts:
            sign = "[green]ok[/]" if part.margin >= 0 else "[red]short[/]"
            interval = f" ({part.interval[0]:.3f} to {part.interval[1]:.3f})" if part.interval else ""
            limit = f"{'≥' if part.at_least else '≤'} {part.goal:g}"
            show(f"  {result.goal.id}  {escape(part.what)}: {part.value:.3f}{interval}, goal {limit} {sign}")


def merge_results(results: list[Result], earlier: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the new content of results.json: the new results, and the earlier results of the other goals. Pure."""
    data = {result.goal.id: result.as_data() for result in results}
    sort_keys = {goal.id: goal.sort_key for group in find_groups() for goal in group.goals}
    earlier_by_id = {result["id"]: result for result in earlier if result["id"] in sort_keys}
    return [result for _, result in sorted((earlier_by_id | data).items(), key=lambda item: sort_keys[item[0]])]


def main(arguments: list[str]) -> int:
    """Run the named benchmarks, or all of a kind. Return 2 for an unknown id, and otherwise 0, even when a goal is missed."""
    only = [argument for argument in arguments if argument != LONG]
    try:
        groups = select_groups(find_groups(), only, is_long=LONG in arguments)
    except BenchmarkUnavailable as error:
        show(str(error))
        return 2
    results: list[Result] = []
    with set_up_installation():
        for group in groups:
            show(", ".join(goal.id for goal in group.goals))
            results.extend(run_group(group))
    show_results(results)
    RESULTS.write_text(json.dumps(merge_results(results, json.loads(RESULTS.read_text())), indent=2, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
