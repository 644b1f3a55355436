"""The protocol between a worker and its sandboxed process: resource limits, and messages that cannot make the worker run anything."""

import io
import pickle
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass, is_dataclass
from enum import Enum
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from heimdex.media.info import MediaInfo

# On a busy machine, the wall time is at most this many times the CPU time.
_WALL_PER_CPU = 2.0
# A probe reads the whole file; a slow disk reads this many bytes per second.
_MIN_BYTES_PER_S = 5_000_000
_NORMAL_FPS = 30.0

# A message contains at most the images of one scene.
MAX_MESSAGE_BYTES = 256 * 1024 * 1024
_LENGTH = struct.Struct("!I")


@dataclass(frozen=True)
class SandboxLimits:
    """The limits of one process: bytes of address space; seconds of CPU time, in all, and without a message; bytes of its output file."""

    memory_bytes: int
    cpu_s: float
    wall_s: float
    silent_s: float
    output_bytes: int = 0


@dataclass(frozen=True)
class DecoderLimits:
    """The installation's limits: bytes of memory, CPU seconds for any file, and CPU seconds per second of video at 30 frames/s."""

    memory_bytes: int
    base_s: float
    per_second: float


def limit_probe(limits: DecoderLimits, size_bytes: int) -> SandboxLimits:
    """Return the limits for a probe, when only the size of the file is known."""
    cpu_s = limits.base_s + size_bytes / _MIN_BYTES_PER_S
    return SandboxLimits(limits.memory_bytes, cpu_s, _WALL_PER_CPU * cpu_s, _WALL_PER_CPU * cpu_s)


def limit_decoding(limits: DecoderLimits, info: MediaInfo) -> SandboxLimits:
    """Return the limits for decoding all frames or all audio of a file."""
    cpu_s = limits.base_s + limits.per_second * info.duration_s * max(1.0, info.fps / _NORMAL_FPS)
    return SandboxLimits(limits.memory_bytes, cpu_s, _WALL_PER_CPU * cpu_s, _WALL_PER_CPU * limits.base_s)


class InvalidMessage(Exception):
    """The other side violated the protocol, for example because a file has taken over the process."""


def send(pipe: BinaryIO, message: object) -> None:
    """Write one message of numbers, strings, bytes, tuples, arrays, and dataclasses and enumerations of heimdex.media."""
    content = encode(message)
    pipe.write(_LENGTH.pack(len(content)))
    pipe.write(content)
    pipe.flush()


def encode(message: object) -> bytes:
    """Serialize a message."""
    buffer = io.BytesIO()
    _Encoder(buffer, protocol=5).dump(message)
    return buffer.getvalue()


def decode(content: bytes) -> Any:
    """Deserialize a message. Raise InvalidMessage when it violates the protocol."""
    try:
        return _Decoder(io.BytesIO(content)).load()
    except InvalidMessage:
        raise
    except Exception as error:
        # Bytes from a hostile process may fail in any way.
        raise InvalidMessage(f"{type(error).__name__}: {error}") from error


class MessageReader:
    """Assemble messages from the pieces that arrive."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, content: bytes) -> None:
        """Add bytes that have arrived."""
        self._buffer += content

    def read(self) -> Any:
        """Return the next complete message, or None. Raise InvalidMessage when it violates the protocol."""
        if len(self._buffer) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._buffer)
        if length > MAX_MESSAGE_BYTES:
            raise InvalidMessage(f"a message of {length} bytes")
        end = _LENGTH.size + length
        if len(self._buffer) < end:
            return None
        content = bytes(memoryview(self._buffer)[_LENGTH.size : end])
        del self._buffer[:end]
        return decode(content)


class _Encoder(pickle.Pickler):
    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return _build_array, (value.tobytes(), value.dtype.str, value.shape)
        if isinstance(value, np.generic):
            return _build_scalar, (value.item(),)
        return NotImplemented


class _Decoder(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Return one of the few objects that a message may name. Otherwise a pickle could call anything."""
        if module == __name__ and name in _CONSTRUCTORS:
            return _CONSTRUCTORS[name]
        if module.startswith("heimdex.media."):
            kind = getattr(sys.modules.get(module), name, None)
            if isinstance(kind, type) and (is_dataclass(kind) or issubclass(kind, Enum)):
                return kind
        raise InvalidMessage(f"{module}.{name} may not be sent")


def _build_array(content: bytes, dtype_name: str, shape: tuple[int, ...]) -> NDArray[Any]:
    dtype = np.dtype(dtype_name)
    if dtype.kind not in "biuf":
        raise InvalidMessage(f"an array of {dtype_name}")
    # A copy, because the received buffer is read-only.
    return np.frombuffer(content, dtype).reshape(shape).copy()


def _build_scalar(value: float) -> float:
    return value


_CONSTRUCTORS: dict[str, Callable[..., object]] = {constructor.__name__: constructor for constructor in (_build_array, _build_scalar)}
