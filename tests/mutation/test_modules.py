"""`make mutate` finds everything that its lists name."""

import ast
import tomllib
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TARGETS: dict[str, dict[str, list[str]]] = tomllib.loads((HERE / "modules.toml").read_text())
SURVIVORS: list[dict[str, Any]] = tomllib.loads((HERE / "survivors.toml").read_text())["survivors"]


def find_names(path: Path) -> set[str]:
    """Return the functions, classes, methods (as Class.method) and constants that a module defines."""
    nodes = list(ast.iter_child_nodes(ast.parse(path.read_text())))
    assigned = {
        name.id for node in nodes if isinstance(node, ast.Assign | ast.AnnAssign) for name in ast.walk(node) if isinstance(name, ast.Name)
    }
    classes = [node for node in nodes if isinstance(node, ast.ClassDef)]
    methods = {f"{node.name}.{member.name}" for node in classes for member in node.body if isinstance(member, ast.FunctionDef)}
    return assigned | methods | {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}


@pytest.mark.parametrize("module", TARGETS)
def test_a_module_its_tests_and_its_names_exist(module: str) -> None:
    target = TARGETS[module]
    assert set(target.get("only", ())) <= find_names(ROOT / module)
    for test in target["tests"]:
        path, _, name = test.partition("::")
        assert (ROOT / path).is_file()
        assert not name or name in find_names(ROOT / path)


@pytest.mark.parametrize("survivor", SURVIVORS, ids=lambda survivor: survivor["before"][:60])
def test_a_survivor_is_a_line_of_a_module_with_a_reason(survivor: dict[str, Any]) -> None:
    assert survivor["module"] in TARGETS
    assert survivor["before"] in [line.strip() for line in (ROOT / survivor["module"]).read_text().splitlines()]
    assert survivor["after"] != survivor["before"]
    assert survivor["reason"].endswith(".")
