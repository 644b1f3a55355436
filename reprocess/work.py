"""One piece of work of a step, and what becomes of it."""

from dataclasses import dataclass
from typing import Any, Self, TypeAlias
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from people.models import Person, PersonPhoto
from videos.models import EmbeddingRow, Scene

Subject: TypeAlias = Scene | PersonPhoto | Person


@dataclass(frozen=True)
class Work:
    """One vector to compute: for which scene, photo or person, for which channel, and from what (a text, keys of pictures, vectors)."""

    subject_id: UUID
    owner_id: UUID
    channel: str
    input_hash: str
    source: str | tuple[str, ...] | tuple[bytes, ...]


@dataclass(frozen=True, eq=False)
class Found:
    """A vector, and what else was found with it."""

    vector: NDArray[np.float32]
    detail: Any


@dataclass(frozen=True)
class Nothing:
    """An input in which there is nothing to embed, and why where a person should know."""

    code: str = ""
    reason: str = ""


Result: TypeAlias = NDArray[np.float32] | Found | Nothing


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of one piece of work: a vector, an error, or neither when there was nothing to embed."""

    subject: Subject
    work: Work
    vector: NDArray[np.float32] | None = None
    error: str = ""
    detail: Any = None
    nothing: Nothing = Nothing()

    @property
    def hash_field(self) -> str:
        """The field in which the subject holds the hash of this channel's input."""
        return f"{self.work.channel}_hash"

    @property
    def state(self) -> str:
        """The state of the row that records it."""
        if self.error:
            return EmbeddingRow.State.FAILED
        return EmbeddingRow.State.EMPTY if self.vector is None else EmbeddingRow.State.EMBEDDED

    @classmethod
    def of(cls, subject: Subject, work: Work, result: Result | str) -> Self:
        """Return the outcome for what a step gave, or for the reason why it gave nothing."""
        if isinstance(result, str):
            return cls(subject, work, error=result)
        if isinstance(result, Nothing):
            return cls(subject, work, nothing=result)
        if isinstance(result, Found):
            return cls(subject, work, vector=result.vector, detail=result.detail)
        return cls(subject, work, vector=result)
