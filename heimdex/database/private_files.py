"""Small JSON files that only their owner may read and that are never seen half written."""

import json
import os
import secrets
from pathlib import Path
from typing import Any


def write_private_json(path: Path, content: dict[str, Any]) -> None:
    """Replace `path` in one step with `content`, mode 0600; its directory is made when missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def read_private_json(path: Path) -> dict[str, Any] | None:
    """Return what was last written to `path`; None when there is nothing or something else."""
    try:
        content = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return content if isinstance(content, dict) else None
