"""The steps of the embedding pipeline, one file each; every module here with a `STEP` is discovered. `search_index` computes no vectors."""

import pkgutil
from functools import cache
from importlib import import_module

from people.input_hashes import register_person_hasher, register_photo_hasher
from reprocess.planning.targets import PHOTOS
from reprocess.steps.base import PeopleStep, SceneStep, Step
from videos.channels import register_channels
from videos.input_hashes import register_composer

_NOT_STEPS = ("base", "embedding_task", "search_index")


@cache
def list_steps() -> tuple[Step, ...]:
    """Return every step that computes vectors, in the spec's order. Raise ValueError when two share a name or a channel."""
    modules = (import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__) if info.name not in _NOT_STEPS)
    steps = tuple(sorted((module.STEP for module in modules), key=lambda step: step.order))
    for names in ([step.name for step in steps], [channel for step in steps for channel in step.channels]):
        if len(set(names)) != len(names):
            raise ValueError(f"two steps share a name or a channel: {names}")
    return steps


def get_step(name: str) -> Step:
    """Return the step with a name. Raise KeyError when there is none."""
    return {step.name: step for step in list_steps()}[name]


def register_steps() -> None:
    """Register the channels of all steps, and the steps as the composers of their inputs. Raise ValueError as `list_steps` does."""
    for step in list_steps():
        register_channels(step.fills)
        if isinstance(step, SceneStep):
            register_composer(step)
        elif isinstance(step, PeopleStep):
            register = register_photo_hasher if step.target_type is PHOTOS else register_person_hasher
            register(step)
