"""The protocol between a worker and its sandboxed process: resource limits, and messages that cannot make the worker run anything."""

import io
import json
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
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
# All of it but bytes and arrays. As Python objects it takes up to thirty times as much.
MAX_TEXT_BYTES = 8 * 1024 * 1024
MAX_REASON = 100
_KIND = "kind"
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
    """Write one message."""
    content = encode(message)
    pipe.write(_LENGTH.pack(len(content)))
    pipe.write(content)
    pipe.flush()


def encode(message: object) -> bytes:
    """Serialize None, booleans, numbers, strings, bytes, lists, tuples, dictionaries, arrays, and frozen dataclasses.

    The result is the length of a JSON text, that text, and the contents of bytes and arrays in the order in which the text names them.
    """
    blobs: list[bytes] = []
    text = json.dumps(_pack(message, blobs)).encode()
    return b"".join([_LENGTH.pack(len(text)), text, *blobs])


def decode(content: bytes) -> Any:
    """Deserialize a message. Raise InvalidMessage when it violates the protocol.

    The sender may be hostile: the result is data, of at most a few times the size of the message, and nothing else is read or changed.
    """
    try:
        (length,) = _LENGTH.unpack_from(content)
        if length > MAX_TEXT_BYTES:
            raise InvalidMessage(f"a text of {length} bytes")
        blobs = io.BytesIO(content)
        blobs.seek(_LENGTH.size)
        return _unpack(json.loads(blobs.read(length)), blobs)
    except InvalidMessage:
        raise
    except Exception as error:
        # Bytes from a hostile process may fail in any way.
        raise InvalidMessage(f"{type(error).__name__}: {error}"[:MAX_REASON]) from error


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


def _pack(value: Any, blobs: list[bytes]) -> Any:
    """Return what JSON can express of a value, and collect the rest in `blobs`. Each object of JSON names the kind of its value."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, bytes):
        blobs.append(value)
        return {_KIND: "bytes", "size": len(value)}
    if isinstance(value, np.ndarray):
        blobs.append(value.tobytes())
        return {_KIND: "array", "size": value.nbytes, "type": value.dtype.str, "shape": value.shape}
    if isinstance(value, list):
        return [_pack(item, blobs) for item in value]
    if isinstance(value, tuple):
        return {_KIND: "tuple", "items": [_pack(item, blobs) for item in value]}
    if isinstance(value, dict):
        return {_KIND: "dictionary", "items": [[_pack(key, blobs), _pack(item, blobs)] for key, item in value.items()]}
    if is_dataclass(value):
        items = [_pack(getattr(value, field.name), blobs) for field in fields(value)]
        return {_KIND: "record", "module": type(value).__module__, "name": type(value).__name__, "items": items}
    raise TypeError(f"{type(value).__name__} cannot be sent")


def _unpack(value: Any, blobs: BinaryIO) -> Any:
    if isinstance(value, list):
        return [_unpack(item, blobs) for item in value]
    if not isinstance(value, dict):
        return value
    match value[_KIND]:
        case "bytes":
            return _read(blobs, value["size"])
        case "array":
            return _build_array(_read(blobs, value["size"]), value["type"], value["shape"])
        case "tuple":
            return tuple(_unpack(value["items"], blobs))
        case "dictionary":
            return dict(_unpack(value["items"], blobs))
        case "record":
            return _find_record(value["module"], value["name"])(*_unpack(value["items"], blobs))
    raise InvalidMessage(f"an unknown kind of value, {str(value[_KIND])[:MAX_REASON]}")


def _read(blobs: BinaryIO, size: int) -> bytes:
    # Each byte is read once, so that a short message cannot become many large values.
    content = blobs.read(size) if size >= 0 else b""
    if len(content) != size:
        raise InvalidMessage("a value that is longer than its message")
    return content


def _build_array(content: bytes, dtype_name: str, shape: list[int]) -> NDArray[Any]:
    dtype = np.dtype(dtype_name)
    if dtype.kind not in "biuf":
        raise InvalidMessage(f"an array of {dtype_name}")
    # A copy, because the received buffer is read-only.
    return np.frombuffer(content, dtype).reshape(shape).copy()


def _find_record(module: str, name: str) -> Callable[..., object]:
    """Return a dataclass of heimdex.media whose construction does nothing but store the values."""
    kind = getattr(sys.modules.get(module), name, None) if module.startswith("heimdex.media.") else None
    is_frozen = is_dataclass(kind) and getattr(kind, "__dataclass_params__").frozen  # noqa: B009 (unknown to the type stubs)
    if isinstance(kind, type) and is_frozen and not hasattr(kind, "__post_init__"):
        return kind
    raise InvalidMessage(f"{module}.{name} may not be sent"[:MAX_REASON])
