"""What the web server tells the view about an upload whose body it receives itself."""

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from heimdex.errors import OutOfSpace

# The key of the request's META.
RECEIVED = "heimdex.received"


@dataclass(frozen=True)
class Announced:
    """The headers have arrived; a response with status 200 accepts the body."""


@dataclass(frozen=True)
class Received:
    """`size` bytes are in the scratch file at `path`, synced to disk; `error` is why it has no more."""

    file: BinaryIO
    path: Path
    size: int
    error: OSError | OutOfSpace | None = None
