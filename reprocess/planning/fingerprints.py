"""Hashes that are equal exactly when two computations are the same. Pure functions."""

import hashlib
import json
from typing import Any


def canonical_json(value: Any) -> str:
    """Return JSON with sorted keys and no spaces, so that equal values give equal text. Raise TypeError for what JSON cannot hold."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(value: Any) -> str:
    """Return the SHA-256 of a value's canonical JSON, as hexadecimal."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()
