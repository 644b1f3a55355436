"""`spec.lock.json` records the digest of each step per spec version, so that a step cannot change without a new version."""

import json
import sys
from pathlib import Path
from typing import Any

from reprocess.spec import LATEST_EMBEDDING_SPEC_VERSION
from reprocess.spec.latest import hash_json
from reprocess.spec.step_code import StepCode
from reprocess.steps import list_steps

LOCK_FILE = Path(__file__).parents[1] / "spec.lock.json"


def compute_digests(code: StepCode | None = None) -> dict[str, str]:
    """Return the digest of each step: its parameters, its versions and the code that it depends on (default: the code that runs)."""
    modules = {step.name: type(step).__module__ for step in list_steps()}
    code = code or StepCode(files={module: Path(str(sys.modules[module].__file__)) for module in modules.values()})
    return {step.name: hash_json({**step.describe(), "code": code.digest(modules[step.name])}) for step in list_steps()}


def read_lock() -> dict[str, dict[str, str]]:
    """Return the recorded digests by spec version and step."""
    locked: dict[str, dict[str, str]] = json.loads(LOCK_FILE.read_text()) if LOCK_FILE.exists() else {}
    return locked


def write_lock() -> None:
    """Record the current digests under the latest version."""
    LOCK_FILE.write_text(json.dumps({**read_lock(), LATEST_EMBEDDING_SPEC_VERSION: compute_digests()}, indent=2, sort_keys=True) + "\n")


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
