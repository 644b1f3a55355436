"""`spec.lock.json` records digests of code, so that neither a step nor a model can change without a new version.

It has the digest of each step by spec version, and, under "models", the code version and digest of each of this project's models.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypedDict

from django.utils.module_loading import import_string

from heimdex.profiles import EMBEDDERS
from reprocess.spec import LATEST_EMBEDDING_SPEC_VERSION
from reprocess.spec.latest import hash_json
from reprocess.spec.step_code import StepCode
from reprocess.steps import list_steps
from reprocess.steps.base import Step
from reprocess.steps.search_index import INDEX_STEP, SearchIndexStep

LOCK_FILE = Path(__file__).parents[1] / "spec.lock.json"
_MODELS = "models"


class LockedModel(TypedDict):
    """The recorded code of a model."""

    code_version: int
    digest: str


def compute_digests(code: StepCode | None = None) -> dict[str, str]:
    """Return the digest of each step: its parameters, its versions and the code that it depends on (default: the code that runs)."""
    steps: tuple[Step | SearchIndexStep, ...] = (*list_steps(), INDEX_STEP)
    modules = {step.name: type(step).__module__ for step in steps}
    code = code or StepCode(files={module: Path(str(sys.modules[module].__file__)) for module in modules.values()})
    return {step.name: hash_json({**step.describe(), "code": code.digest(modules[step.name])}) for step in steps}


def lock_models(code: StepCode | None = None) -> dict[str, LockedModel]:
    """Return code version and digest of each model that turns inputs into vectors, by its short name."""
    code = code or StepCode(of_models=True)
    return {
        name: {"code_version": import_string(path).code_version, "digest": code.digest(path.rpartition(".")[0])}
        for name, path in EMBEDDERS.items()
    }


def read_lock() -> dict[str, dict[str, Any]]:
    """Return the recorded digests: of steps by spec version, and of models."""
    locked: dict[str, dict[str, Any]] = json.loads(LOCK_FILE.read_text()) if LOCK_FILE.exists() else {}
    return locked


def write_lock() -> None:
    """Record the current digests of the steps, under the latest version, and of the models."""
    current = {**read_lock(), LATEST_EMBEDDING_SPEC_VERSION: compute_digests(), _MODELS: lock_models()}
    LOCK_FILE.write_text(json.dumps(current, indent=2, sort_keys=True) + "\n")


def find_drift(locked: dict[str, Any], current: dict[str, str], version: str) -> list[str]:
    """Return the differences between the steps and the lock of a version, one sentence each. Pure."""
    if version not in locked:
        return [f"The spec version {version} is not in spec.lock.json."]
    recorded = locked[version]
    changed = [
        f"The step {name} changed, but the spec version is still {version}."
        for name in current
        if name in recorded and recorded[name] != current[name]
    ]
    added = [f"The step {name} is new, but the spec version is still {version}." for name in current if name not in recorded]
    gone = [f"The step {name} is gone, but the spec version is still {version}." for name in recorded if name not in current]
    return changed + added + gone


def find_model_drift(locked: Mapping[str, Any], current: Mapping[str, LockedModel]) -> list[str]:
    """Return the differences between the models and the lock, one sentence each. Pure."""
    recorded: Mapping[str, LockedModel] = locked.get(_MODELS, {})
    sentences = []
    for name, model in current.items():
        version = model["code_version"]
        if name not in recorded or recorded[name]["code_version"] != version:
            sentences.append(f"The model {name} with code version {version} is not in spec.lock.json.")
        elif recorded[name]["digest"] != model["digest"]:
            sentences.append(f"The code of the model {name} changed, but its code version is still {version}.")
    return sentences + [f"The model {name} in spec.lock.json is gone." for name in recorded if name not in current]
