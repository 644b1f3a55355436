"""The checks, one file each. `list_checks` discovers them."""

import pkgutil
from functools import cache
from importlib import import_module

from reprocess.reconcile.base import Check


@cache
def list_checks() -> tuple[Check, ...]:
    """Return every check by ascending `order`. Raise ValueError when two issue types share a name."""
    modules = (import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__))
    checks = tuple(sorted((module.CHECK for module in modules), key=lambda check: check.order))
    names = [issue_type.name for check in checks for issue_type in check.issue_types]
    if len(set(names)) != len(names):
        raise ValueError(f"two issue types share a name: {names}")
    return checks
