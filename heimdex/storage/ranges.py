"""Parse the `Range` header of a request (RFC 9110, section 14)."""

import re
from dataclasses import dataclass

_SINGLE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


class UnsatisfiableRangeError(ValueError):
    """The range is outside the file."""


@dataclass(frozen=True)
class ByteRange:
    """`length` bytes from `start`."""

    start: int
    length: int

    def format_content_range(self, size: int) -> str:
        """Return the `Content-Range` header for a file of `size` bytes."""
        return f"bytes {self.start}-{self.start + self.length - 1}/{size}"


def parse_range(header: str | None, size: int) -> ByteRange | None:
    """Return the range that `header` requests of a file of `size` bytes, or None for the whole file.

    Multiple ranges, other units and malformed headers select the whole file, as the RFC allows. Raise UnsatisfiableRangeError when the
    range is outside the file.
    """
    match = _SINGLE_RANGE.fullmatch((header or "").replace(" ", ""))
    if match is None or match.group() == "bytes=-":
        return None
    first, last = match.groups()
    if not first:
        length = min(int(last), size)
        start = size - length
    else:
        start = int(first)
        end = min(int(last), size - 1) if last else size - 1
        if last and int(last) < start:
            return None
        length = end - start + 1
    if length <= 0 or start >= size:
        raise UnsatisfiableRangeError(f"bytes */{size}")
    return ByteRange(start, length)
