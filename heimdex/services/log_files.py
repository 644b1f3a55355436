"""The services' log files: limited in size, and quoted in error messages."""

import os
import shutil
from pathlib import Path

from heimdex.database.log_access import make_log_directory, open_privately

LIMIT_BYTES = 10 * 1024**2


def get_log_path(home: Path, name: str) -> Path:
    return home / "logs" / f"{name}.log"


def open_log(path: Path) -> int:
    """Open a log for appending and return its descriptor, for use by a child process."""
    make_log_directory(path.parent)
    return open_privately(str(path), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC)


def rotate(path: Path) -> None:
    """Move the content of an oversized log to `….log.1`; processes that have it open continue at its new start."""
    try:
        if path.stat().st_size > LIMIT_BYTES:
            # With its mode.
            shutil.copy(path, path.with_suffix(".log.1"))
            os.truncate(path, 0)
    except FileNotFoundError:
        return


def read_last_lines(path: Path, *, since: int = 0, count: int = 12) -> str:
    """Return the last `count` lines written after byte `since`."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(min(since, size), size - 64 * 1024))
            return "\n".join(file.read().decode(errors="replace").strip().splitlines()[-count:])
    except FileNotFoundError:
        return ""
