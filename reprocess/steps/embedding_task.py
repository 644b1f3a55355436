"""One vector to compute, and its outcome."""

from dataclasses import dataclass
from typing import Any, Self, TypeAlias
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from people.models import Person, PersonPhoto
from videos.models import EmbeddingRow, Scene

Target: TypeAlias = Scene | PersonPhoto | Person


@dataclass(frozen=True)
class EmbeddingTask:
    """One vector to compute: its target, its channel, and its source (a text, storage keys of images, or vectors as float32 bytes).

    `input_hash` is the hash of the source. `stored_hash` is the target's stored hash, read before the source; None without one.
    """

    target_id: UUID
    owner_id: UUID
    channel: str
    input_hash: str
    stored_hash: str | None
    source: str | tuple[str, ...] | tuple[bytes, ...]


@dataclass(frozen=True, eq=False)
class Detection:
    """A vector of shape (dimensions,), float32, and other results of the same computation."""

    vector: NDArray[np.float32]
    detail: Any


@dataclass(frozen=True)
class NoContent:
    """An input without anything to embed; `code` and `reason` explain it where the user should know."""

    code: str = ""
    reason: str = ""


Result: TypeAlias = NDArray[np.float32] | Detection | NoContent


@dataclass(frozen=True, eq=False)
class Outcome:
    """The outcome of one task: a vector, an error, or neither when there was nothing to embed."""

    target: Target
    task: EmbeddingTask
    vector: NDArray[np.float32] | None = None
    error: str = ""
    detail: Any = None
    no_content: NoContent = NoContent()

    @property
    def state(self) -> str:
        """Return the state of the row that records this outcome."""
        if self.error:
            return EmbeddingRow.State.FAILED
        return EmbeddingRow.State.EMPTY if self.vector is None else EmbeddingRow.State.EMBEDDED

    @classmethod
    def from_result(cls, target: Target, task: EmbeddingTask, result: Result | str) -> Self:
        """Build the outcome from a step's result, or from an error message."""
        if isinstance(result, str):
            return cls(target, task, error=result)
        if isinstance(result, NoContent):
            return cls(target, task, no_content=result)
        if isinstance(result, Detection):
            return cls(target, task, vector=result.vector, detail=result.detail)
        return cls(target, task, vector=result)
