"""Execute a module again, and let everything that uses it use the new code.

Functions and classes are changed in place, so that they also change where another object holds them: a table, a subclass, an instance, a
parameter of a test. Constants are replaced wherever they were imported.
"""

import importlib
import sys
from collections.abc import Mapping
from enum import Enum
from types import FunctionType, MemberDescriptorType
from typing import Any

from django.conf import settings

PACKAGES = ("heimdex.", "videos.", "people.", "reprocess.", "demo.", "tests.")
# Attributes of a class that belong to the class object itself.
_OWN = frozenset({"__dict__", "__weakref__", "__module__", "__qualname__", "__abstractmethods__", "_abc_impl"})


def reload_module(path: str) -> None:
    """Execute the module of a path again, if it is loaded."""
    loaded = sys.modules.get(path.removesuffix(".py").replace("/", "."))
    if loaded is None:
        return
    old = dict(vars(loaded))
    importlib.reload(loaded)
    new = vars(loaded)
    for name, value in old.items():
        if getattr(value, "__module__", None) == loaded.__name__ and _update(value, new.get(name)):
            new[name] = value
    changed = {name: value for name, value in old.items() if not name.startswith("__") and new.get(name) is not value}
    for name, other in list(sys.modules.items()):
        if name.startswith(PACKAGES):
            _replace(vars(other), changed, new)
    if loaded.__name__ == settings.SETTINGS_MODULE:
        for name in filter(str.isupper, changed):
            setattr(settings, name, new.get(name))


def _replace(names: dict[str, Any], changed: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    for name in changed.keys() & names.keys():
        if names[name] is changed[name]:
            names[name] = new.get(name)


def _update(old: object, new: object) -> bool:
    """Change a function or class in place; return False when that is impossible."""
    if isinstance(old, FunctionType) and isinstance(new, FunctionType):
        return _update_function(old, new)
    if isinstance(old, type) and isinstance(new, type) and not issubclass(old, Enum):
        _update_class(old, new)
        return True
    return False


def _update_function(old: FunctionType, new: FunctionType) -> bool:
    if old.__code__.co_freevars != new.__code__.co_freevars:
        return False
    old.__code__, old.__defaults__, old.__kwdefaults__ = new.__code__, new.__defaults__, new.__kwdefaults__
    for old_cell, new_cell in zip(old.__closure__ or (), new.__closure__ or (), strict=True):
        # A class in a cell is the one that defines the method, for `super()`.
        if not isinstance(new_cell.cell_contents, type):
            old_cell.cell_contents = new_cell.cell_contents
    return True


def _update_class(old: type, new: type) -> None:
    for name, value in vars(new).items():
        if name in _OWN or isinstance(value, MemberDescriptorType):
            continue
        if not _update(vars(old).get(name), value):
            setattr(old, name, value)
