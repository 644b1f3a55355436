"""Files with secrets: only their owner may read them, and they are never seen half written. Free of Django."""

import os
import secrets
from pathlib import Path


def write_private_text(path: Path, text: str) -> None:
    """Replace `path` atomically, mode 0600; create its directory when missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)
