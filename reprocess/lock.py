"""`spec.lock.json`: what each spec version's steps were, so that a step cannot change under an old version unseen."""

import json
from pathlib import Path
from typing import Any

from reprocess.fingerprints import digest
from reprocess.spec import LATEST_EMBEDDING_SPEC_VERSION
from reprocess.steps import all_steps

LOCK_FILE = Path(__file__).with_name("spec.lock.json")


def current_digests() -> dict[str, str]:
    """Return each step's code-side digest: its parameters, versions and what its code does."""
    return {step.name: digest({**step.describe(), "code": step.code()}) for step in all_steps()}


def read_lock() -> dict[str, dict[str, str]]:
    """Return the digests by spec version and step."""
    locked: dict[str, dict[str, str]] = json.loads(LOCK_FILE.read_text()) if LOCK_FILE.exists() else {}
    return locked


def write_lock() -> None:
    """Record the current digests under the latest version."""
    LOCK_FILE.write_text(json.dumps({**read_lock(), LATEST_EMBEDDING_SPEC_VERSION: current_digests()}, indent=2, sort_keys=True) + "\n")


def drift(locked: dict[str, Any], current: dict[str, str], version: str) -> list[str]:
    """Return, as sentences, how the steps differ from what the lock holds for a version. Pure."""
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
