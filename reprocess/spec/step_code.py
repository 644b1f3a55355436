"""The code that a step or a model depends on, derived from its imports. Reads sources and runs none of them.

A digest covers the whole module of a step or model and, recursively, each function, class and constant of this project that its code
uses. It also covers other code that runs when those modules are imported. Docstrings, comments, formatting and the declaration of channels
(`fills`) do not count. Nor does the module that a definition is in: moving a function changes no digest, and changing it changes the
digests of all steps and models that use it.

Members of the tables in TABLES are followed by name, because the source does not tell the class of an object: `row.image_keys` refers to
each property, method or constant of that name. Fields are not followed: the content of a row is data.

What is not followed:

- INFRASTRUCTURE: storage, leases, registries and bookkeeping decide where data is, not what is embedded.
- For steps, MODEL_INTERFACES: models have digests of their own, which cover them, and their identity is part of every fingerprint.
- What only `upload_artifacts` and `persist` of steps, or `check` of models, use from other modules: they decide no vector.
"""

import ast
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

PROJECT = Path(__file__).parents[2]
PACKAGES = ("heimdex", "videos", "people", "reprocess")
INFRASTRUCTURE = (
    "heimdex.accounts",
    "heimdex.backends",
    "heimdex.errors",
    "heimdex.leases",
    "heimdex.openai",
    "heimdex.settings",
    "heimdex.storage",
    "people.channels",
    "people.errors",
    "people.locks",
    "reprocess.models",
    "reprocess.planning",
    "reprocess.steps.embedding_task",
    "videos.channels",
    "videos.input_hashes",
)
MODEL_INTERFACES = ("heimdex.embedders.base", "heimdex.faces.base")
TABLES = ("people.models", "videos.models")
# The base classes of steps.
_INTERFACE = "reprocess.steps.base"
_WRITERS = ("upload_artifacts", "persist")
_CHECKS = ("check",)
# The name of everything in a module that runs on import without defining anything.
_ON_IMPORT = ""

# A module, and the name of one of its definitions: `clip_text`, or `Scene.image_keys` for the member of a table.
Definition: TypeAlias = tuple[str, str]


@dataclass(frozen=True)
class Module:
    """One parsed module: its definitions by name, and what each imported name refers to: a module, and a name in it (None: all of it)."""

    nodes: dict[str, list[ast.stmt]] = field(default_factory=dict)
    imports: dict[str, tuple[str, str | None]] = field(default_factory=dict)


class StepCode:
    """The code of steps, or of models, in one copy of the project."""

    def __init__(self, root: Path = PROJECT, files: Mapping[str, Path] | None = None, *, of_models: bool = False) -> None:
        """Read modules below `root`; `files` has the paths of modules that are not there."""
        self._root = root
        self._of_models = of_models
        self._not_followed = (*INFRASTRUCTURE, *TABLES, *(() if of_models else MODEL_INTERFACES))
        self._files = files or {}
        self._modules: dict[str, Module] = {}

    def digest(self, module: str) -> str:
        """Return the digest of the code that the step or model in a module depends on."""
        texts = sorted(self._render(definition) for definition in self.find_definitions(module))
        return hashlib.sha256("\n".join(texts).encode()).hexdigest()

    def find_definitions(self, module: str) -> set[Definition]:
        """Return the module's own definitions and all that they use, as pairs of module and name."""
        waiting: list[Definition] = [(module, name) for name in self._parse(module).nodes]
        definitions: set[Definition] = set()
        while waiting:
            definition = waiting.pop()
            if definition not in definitions:
                definitions.add(definition)
                waiting.extend(self._find_used(definition, is_step=definition[0] in (module, _INTERFACE)))
        return definitions

    def _find_used(self, definition: Definition, *, is_step: bool) -> Iterator[Definition]:
        module, name = definition
        parsed = self._parse(module)
        yield from [(module, _ON_IMPORT)] if _ON_IMPORT in parsed.nodes else []
        skipped = _CHECKS if self._of_models else _WRITERS if is_step else ()
        for node in parsed.nodes[name]:
            imports = {**parsed.imports, **_read_imports(module, ast.walk(node))}
            for member in _iter_attributes(node, skipped):
                yield from self._members.get(member, ())
            for used, attribute in _iter_names(node, skipped):
                if used in imports:
                    yield from self._resolve(*imports[used], attribute)
                elif used in parsed.nodes and used != name:
                    yield module, used

    def _resolve(self, module: str, name: str | None, attribute: str | None) -> Iterator[Definition]:
        """Yield what a used name refers to: a definition, an attribute of a module, or a whole module."""
        if name is not None and self._is_module(f"{module}.{name}"):
            module, name = f"{module}.{name}", None
        if not self._is_followed(module):
            return
        parsed = self._parse(module)
        wanted = name or attribute
        if wanted in parsed.nodes:
            yield module, wanted
        elif wanted in parsed.imports:
            # Imported from elsewhere, and passed on.
            yield from self._resolve(*parsed.imports[wanted], attribute if name else None)
        else:
            yield from ((module, defined) for defined in parsed.nodes)

    def _is_followed(self, module: str) -> bool:
        is_left_out = any(module == excluded or module.startswith(f"{excluded}.") for excluded in self._not_followed)
        return module.split(".")[0] in PACKAGES and not is_left_out and self._is_module(module)

    @cached_property
    def _members(self) -> dict[str, list[Definition]]:
        """Index the members of all tables by name, and add them to the definitions of their modules."""
        members: dict[str, list[Definition]] = {}
        for package in () if self._of_models else TABLES:
            for path in sorted(self._root.joinpath(*package.split(".")).glob("*.py")):
                module = package if path.stem == "__init__" else f"{package}.{path.stem}"
                parsed = self._parse(module)
                for table, name, node in list(_iter_members(parsed)):
                    parsed.nodes.setdefault(f"{table}.{name}", []).append(node)
                    members.setdefault(name, []).append((module, f"{table}.{name}"))
        return members

    def _is_module(self, module: str) -> bool:
        return self._find_path(module) is not None

    def _find_path(self, module: str) -> Path | None:
        if module in self._files:
            return self._files[module]
        base = self._root.joinpath(*module.split("."))
        return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)

    def _parse(self, module: str) -> Module:
        if module not in self._modules:
            path = self._find_path(module)
            if path is None:
                raise ModuleNotFoundError(f"no module {module} in {self._root}")
            self._modules[module] = _parse_source(module, path.read_text())
        return self._modules[module]

    def _render(self, definition: Definition) -> str:
        module, name = definition
        return "\n".join(_render(node) for node in self._parse(module).nodes[name])


def _parse_source(module: str, source: str) -> Module:
    parsed = Module()
    for node in _flatten(ast.parse(source).body):
        if isinstance(node, ast.Import | ast.ImportFrom):
            imports = _read_imports(module, [node])
            is_of_project = _is_of_project(node)
            parsed.imports.update(imports if is_of_project else {})
            names = [] if is_of_project else list(imports)
        else:
            names = _list_defined_names(node)
        for name in names:
            parsed.nodes.setdefault(name, []).append(node)
    return parsed


def _flatten(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a module, with those in `if TYPE_CHECKING` and the like, but without docstrings."""
    for node in body:
        if isinstance(node, ast.If):
            yield from _flatten([*node.body, *node.orelse])
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)):
            yield node


def _list_defined_names(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = [part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)]
        return names or [_ON_IMPORT]
    return [_ON_IMPORT]


def _read_imports(module: str, nodes: Iterable[ast.AST]) -> dict[str, tuple[str, str | None]]:
    imports: dict[str, tuple[str, str | None]] = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                imports[alias.asname or alias.name.split(".")[0]] = (alias.name if alias.asname else alias.name.split(".")[0], None)
        elif isinstance(node, ast.ImportFrom):
            package = ".".join(module.split(".")[: -node.level]) if node.level else ""
            origin = ".".join(part for part in (package, node.module) if part)
            imports.update({alias.asname or alias.name: (origin, alias.name) for alias in node.names})
    return imports


def _is_of_project(node: ast.Import | ast.ImportFrom) -> bool:
    if isinstance(node, ast.ImportFrom):
        return bool(node.level) or (node.module or "").split(".")[0] in PACKAGES
    return all(alias.name.split(".")[0] in PACKAGES for alias in node.names)


def _iter_names(node: ast.AST, skipped: tuple[str, ...]) -> Iterator[tuple[str, str | None]]:
    """Yield each name used in some code, with the attribute that is read from it; methods called `skipped` are left out."""
    if isinstance(node, ast.FunctionDef) and node.name in skipped:
        return
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        yield node.value.id, node.attr
        return
    if isinstance(node, ast.Name):
        yield node.id, None
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
        # Annotations may be written as strings.
        yield node.value, None
    for child in ast.iter_child_nodes(node):
        yield from _iter_names(child, skipped)


def _iter_attributes(node: ast.AST, skipped: tuple[str, ...]) -> Iterator[str]:
    """Yield the name of each attribute that some code reads; methods called `skipped` are left out."""
    if isinstance(node, ast.FunctionDef) and node.name in skipped:
        return
    if isinstance(node, ast.Attribute):
        yield node.attr
    for child in ast.iter_child_nodes(node):
        yield from _iter_attributes(child, skipped)


def _iter_members(module: Module) -> Iterator[tuple[str, str, ast.stmt]]:
    """Yield the class, name and code of each property, method and constant of a module's classes, but no fields and managers."""
    classes = [node for nodes in module.nodes.values() for node in nodes if isinstance(node, ast.ClassDef)]
    for table in classes:
        for node in table.body:
            is_field = isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Call)
            if isinstance(node, ast.FunctionDef | ast.Assign | ast.AnnAssign) and not is_field:
                yield from ((table.name, name, node) for name in _list_defined_names(node))


def _is_left_out(node: ast.stmt) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return _is_of_project(node)
    return isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["fills"]


def _render(node: ast.stmt) -> str:
    """Return the text of some code without docstrings, comments, channel declarations and imports from this project."""
    copy = ast.parse(ast.unparse(node))
    for part in ast.walk(copy):
        body = getattr(part, "body", None)
        if isinstance(body, list):
            kept = [child for child in body if not _is_left_out(child)]
            if isinstance(part, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(part, clean=False) is not None:
                kept = kept[1:]
            part.body = kept or [ast.Pass()]  # type: ignore[attr-defined]
    return ast.unparse(copy)
