"""What passes between a worker and the process that decodes for it: bytes that cannot make the worker do anything."""

import io
import pickle
import struct
import sys
from collections.abc import Callable
from dataclasses import is_dataclass
from enum import Enum
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

# A message holds the pictures of one scene at most.
LARGEST = 256 * 1024 * 1024
_LENGTH = struct.Struct("!I")


class BadMessage(Exception):
    """The other side sent what it never sends, as a process may that a file has taken over."""


def send(pipe: BinaryIO, message: object) -> None:
    """Write one message: numbers, texts, bytes, tuples, arrays, and dataclasses and enumerations of heimdex.media."""
    content = encode(message)
    pipe.write(_LENGTH.pack(len(content)))
    pipe.write(content)
    pipe.flush()


def encode(message: object) -> bytes:
    """Return a message as bytes."""
    buffer = io.BytesIO()
    _Encoder(buffer, protocol=5).dump(message)
    return buffer.getvalue()


def decode(content: bytes) -> Any:
    """Return a message; BadMessage for anything that is none."""
    try:
        return _Decoder(io.BytesIO(content)).load()
    except BadMessage:
        raise
    except Exception as error:
        # Whatever is wrong with bytes that nobody here has written.
        raise BadMessage(f"{type(error).__name__}: {error}") from error


class Inbox:
    """Puts messages together from what arrives in pieces."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def add(self, content: bytes) -> None:
        """Keep what has arrived."""
        self._buffer += content

    def next(self) -> Any:
        """Return the next message that has arrived whole, or None; BadMessage for anything that is none."""
        if len(self._buffer) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._buffer)
        if length > LARGEST:
            raise BadMessage(f"a message of {length} bytes")
        end = _LENGTH.size + length
        if len(self._buffer) < end:
            return None
        content = bytes(memoryview(self._buffer)[_LENGTH.size : end])
        del self._buffer[:end]
        return decode(content)


class _Encoder(pickle.Pickler):
    def reducer_override(self, held: Any) -> Any:
        if isinstance(held, np.ndarray):
            return _array, (held.tobytes(), held.dtype.str, held.shape)
        if isinstance(held, np.generic):
            return _scalar, (held.item(),)
        return NotImplemented


class _Decoder(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Return one of the few things that a message may name; a pickle could otherwise call anything."""
        if module == __name__ and name in _MAKERS:
            return _MAKERS[name]
        if module.startswith("heimdex.media."):
            kind = getattr(sys.modules.get(module), name, None)
            if isinstance(kind, type) and (is_dataclass(kind) or issubclass(kind, Enum)):
                return kind
        raise BadMessage(f"{module}.{name} may not be sent")


def _array(content: bytes, kind: str, shape: tuple[int, ...]) -> NDArray[Any]:
    dtype = np.dtype(kind)
    if dtype.kind not in "biuf":
        raise BadMessage(f"an array of {kind}")
    # A copy, because what was received cannot be written to.
    return np.frombuffer(content, dtype).reshape(shape).copy()


def _scalar(value: float) -> float:
    return value


_MAKERS: dict[str, Callable[..., object]] = {maker.__name__: maker for maker in (_array, _scalar)}
