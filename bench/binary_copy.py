"""Append many rows to a table by binary COPY, from arrays of bytes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

ROWS_PER_WRITE = 20_000


def copy_binary(cursor: Any, target: str, columns: dict[str, NDArray[Any]]) -> None:
    """Append rows whose columns have one length each, given as arrays of shape (rows, bytes) or as big-endian integers."""
    count = len(next(iter(columns.values())))
    parts: list[NDArray[np.uint8]] = [np.broadcast_to(np.array([0, len(columns)], np.uint8), (count, 2))]
    for values in columns.values():
        content = np.ascontiguousarray(values).view(np.uint8).reshape(count, -1) if values.size else np.empty((count, 0), np.uint8)
        parts += [np.broadcast_to(np.frombuffer(content.shape[1].to_bytes(4, "big"), np.uint8), (count, 4)), content]
    with cursor.copy(f"COPY {target} FROM STDIN (FORMAT BINARY)") as copy:
        copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
        for start in range(0, count, ROWS_PER_WRITE):
            copy.write(np.concatenate([part[start : start + ROWS_PER_WRITE] for part in parts], axis=1).tobytes())
        copy.write(b"\xff\xff")
