"""The mutants of a module: its source with one change each."""

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from cosmic_ray.ast import get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Operator
from operators import load_operators


@dataclass(frozen=True)
class Mutant:
    """One change of one module."""

    module: str
    code: str
    line: int
    before: str
    after: str

    @property
    def key(self) -> tuple[str, str, str]:
        """Identify the mutant even when lines above it come or go."""
        return self.module, self.before, self.after


def find_places(source: str, only: Collection[str] | None = None) -> Iterator[tuple[Operator, int]]:
    """Yield the operators that change a module, or some of its functions, classes and constants, and which of their occurrences do."""
    lines = source.splitlines()
    names = name_lines(source)
    nodes = list(_walk(get_ast(source)))
    for operator in load_operators().values():
        positions = [position for node in nodes for position in operator.mutation_positions(node)]
        for occurrence, ((line, _), _) in enumerate(positions):
            if not is_exempt(lines[line - 1]) and not (only and names.get(line, set()).isdisjoint(only)):
                yield operator, occurrence


def find_mutants(module: str, source: str, only: Collection[str] | None = None) -> Iterator[Mutant]:
    """Yield the mutants of a module, or of some of its functions, classes and constants."""
    lines = source.splitlines()
    for operator, occurrence in find_places(source, only):
        code = mutate_code(source, operator, occurrence)
        changes = enumerate(zip(lines, (code or source).splitlines(), strict=False))
        changed = next((number for number, (before, after) in changes if before != after), None)
        if not code or changed is None:
            continue
        mutant = Mutant(module, code, changed + 1, lines[changed].strip(), code.splitlines()[changed].strip())
        # The star that begins keyword-only parameters is no product.
        if mutant.after not in (mutant.before.replace("*, ", "/, "), mutant.before.replace("*,", "/,")):
            yield mutant


def name_lines(source: str) -> dict[int, set[str]]:
    """Return the function, class, method (as Class.method) or constants of the module that each line (from 1) defines."""
    names: dict[int, set[str]] = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            defined = {node.name}
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            defined = {part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)}
        else:
            continue
        names.update(dict.fromkeys(range(node.lineno, (node.end_lineno or node.lineno) + 1), defined))
        for member in node.body if isinstance(node, ast.ClassDef) else ():
            if isinstance(member, ast.FunctionDef):
                method = {node.name, f"{node.name}.{member.name}"}
                names.update(dict.fromkeys(range(member.lineno, (member.end_lineno or member.lineno) + 1), method))
    return names


def is_exempt(line: str) -> bool:
    """Return whether a line holds no rule: a decorator, or the checks that only fail when the program itself is wrong."""
    text = line.strip()
    return text.startswith(("@", "assert ", "log.", "raise ")) or "strict=" in text or "TYPE_CHECKING" in text


def _walk(node: object) -> Iterator[object]:
    yield node
    for child in getattr(node, "children", ()):
        yield from _walk(child)
