"""Files that a sandboxed process opens before it is confined, because it can open none afterwards."""

import os
from pathlib import Path
from typing import BinaryIO

_descriptors: dict[Path, int] = {}


def open_early(path: Path) -> None:
    """Open a file for `open_input` and `get_ffmpeg_source`, for as long as the process lives. Raise OSError when it cannot be read."""
    _descriptors[path] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)


def open_input(path: Path) -> BinaryIO:
    """Open a file for reading at its start, in a sandboxed process by the descriptor that is open already."""
    if path not in _descriptors:
        return path.open("rb")
    os.lseek(_descriptors[path], 0, os.SEEK_SET)
    return os.fdopen(_descriptors[path], "rb", closefd=False)


def get_ffmpeg_source(path: Path) -> tuple[str, dict[str, str]]:
    """Return the URL and options with which FFmpeg reads a file from its start, and nothing else: no other file, no other protocol."""
    if path not in _descriptors:
        # The prefix keeps FFmpeg from interpreting the name as a protocol or a number pattern.
        return f"file:{path.resolve()}", {"protocol_whitelist": "file"}
    os.lseek(_descriptors[path], 0, os.SEEK_SET)
    return "fd:", {"fd": str(_descriptors[path]), "protocol_whitelist": "fd"}
