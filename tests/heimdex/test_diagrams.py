"""The diagrams are up to date, and the declared state transitions are those that the code makes."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from people.models import PersonPhoto
from reprocess.models import ReprocessItem, ReprocessRun
from videos.models import Job, Video

ROOT = Path(__file__).resolve().parents[2]
MODELS = (Video, Job, PersonPhoto, ReprocessRun, ReprocessItem)
# Calls that compare a state. All other calls with an argument `state` write it.
READERS = {"filter", "exclude", "get", "Q", "When"}


def test_the_page_is_up_to_date() -> None:
    call_command("diagrams", "--check")


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_state_is_reached_and_no_transition_is_declared_twice(model: Any) -> None:
    pairs = [(before, after) for before, after, _ in model.TRANSITIONS]
    assert len(set(pairs)) == len(pairs)
    assert all(before != after and when for before, after, when in model.TRANSITIONS)
    reached = {model._meta.get_field("state").default}
    while new := {after for before, after in pairs if before in reached} - reached:
        reached |= new
    assert reached == set(model.State)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_the_code_writes_the_states_that_are_declared_as_targets_and_no_others(model: Any, written: dict[str, set[str]]) -> None:
    assert written[model.__name__] == {after.name for _, after, _ in model.TRANSITIONS}


@pytest.fixture(scope="module")
def written() -> dict[str, set[str]]:
    """Return the names of the states that the code writes, by model."""
    states: dict[str, set[str]] = defaultdict(set)
    for package in ("videos", "people", "reprocess"):
        for path in (ROOT / package).rglob("*.py"):
            if "migrations" not in path.parts and "models" not in path.parts:
                for value in _iterate_written_values(ast.parse(path.read_text())):
                    for model, state in _iterate_state_names(value):
                        states[model].add(state)
    return states


def _iterate_written_values(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the expressions that are written to a state: assignments, entries of dictionaries, and arguments of calls."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and any(getattr(target, "attr", getattr(target, "id", "")) == "state" for target in node.targets):
            yield node.value
        elif isinstance(node, ast.Dict):
            yield from (
                value for key, value in zip(node.keys, node.values, strict=True) if isinstance(key, ast.Constant) and key.value == "state"
            )
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) not in READERS:
            yield from (keyword.value for keyword in node.keywords if keyword.arg == "state")


def _iterate_state_names(value: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield the pairs of model and state in an expression such as `Job.State.DONE if done else Job.State.FAILED`."""
    branches = (value.body, value.orelse) if isinstance(value, ast.IfExp) else (value,)
    for branch in branches:
        if isinstance(branch, ast.IfExp):
            yield from _iterate_state_names(branch)
        elif match := re.fullmatch(r"(\w+)\.State\.([A-Z]+)", ast.unparse(branch)):
            yield match[1], match[2]
