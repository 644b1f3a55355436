"""The checks, one file each; a file here is found by itself."""

import pkgutil
from functools import cache
from importlib import import_module

from reprocess.reconcile.base import Check


@cache
def all_checks() -> tuple[Check, ...]:
    """Return every check in order; ValueError when two kinds share a name."""
    modules = (import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__))
    checks = tuple(sorted((module.CHECK for module in modules), key=lambda check: check.order))
    names = [kind.name for check in checks for kind in check.kinds]
    if len(set(names)) != len(names):
        raise ValueError(f"two kinds share a name: {names}")
    return checks
