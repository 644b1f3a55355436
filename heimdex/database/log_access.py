"""Logs are readable by their owner and group, such as a collector's, and by nobody else: they name users and what they do."""

import os
from contextlib import suppress
from pathlib import Path

_DIRECTORY_MODE, _FILE_MODE = 0o750, 0o640


def make_log_directory(directory: Path) -> None:
    """Create a directory of logs, or keep other users out of the one that exists. A directory of another user is not changed."""
    directory.mkdir(parents=True, exist_ok=True)
    if directory.stat().st_mode & 0o777 & ~_DIRECTORY_MODE:
        with suppress(PermissionError):
            directory.chmod(_DIRECTORY_MODE)


def open_privately(path: str, flags: int) -> int:
    """Open a log and return its descriptor. An existing file that other users can read is closed to them."""
    descriptor = os.open(path, flags, _FILE_MODE)
    if os.fstat(descriptor).st_mode & 0o777 & ~_FILE_MODE:
        with suppress(PermissionError):
            os.fchmod(descriptor, _FILE_MODE)
    return descriptor
