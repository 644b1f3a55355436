"""The steps of the embedding pipeline, one file each; a file here is found by itself."""

import pkgutil
from functools import cache
from importlib import import_module

from reprocess.steps.base import Step


@cache
def all_steps() -> tuple[Step, ...]:
    """Return every step, in the order the spec runs them; ValueError when two share a name or a channel."""
    modules = (import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__) if info.name != "base")
    steps = tuple(sorted((module.STEP for module in modules), key=lambda step: step.order))
    for what in ([step.name for step in steps], [channel for step in steps for channel in step.channels]):
        if len(set(what)) != len(what):
            raise ValueError(f"two steps share a name or a channel: {what}")
    return steps


def step_named(name: str) -> Step:
    """Return the step of a name; KeyError when there is none."""
    return {step.name: step for step in all_steps()}[name]
