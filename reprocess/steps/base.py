"""What a step is: which channels it fills, from what, and by which model."""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from heimdex.embedders.base import Embedder
from reprocess.fingerprints import code_digest
from videos.models import Scene, Video


@dataclass(frozen=True)
class Work:
    """One vector to compute: for which scene and channel, from what input (a text, or the storage key of a picture)."""

    scene_id: UUID
    owner_id: UUID
    channel: str
    input_hash: str
    source: str


class InputMissing(Exception):
    """What a step should embed cannot be read; the message says what and why."""


class SceneStep(ABC):
    """A unit of the pipeline that gives each scene one vector per channel."""

    name: ClassVar[str]
    order: ClassVar[int]
    code_version: ClassVar[int]
    channels: ClassVar[tuple[str, ...]]
    embedder_alias: ClassVar[str]
    params: ClassVar[Mapping[str, Any]]
    # By channel: the fields from which a plan estimates the length of its texts.
    texts: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    # Modules beside the step's own whose code decides what is embedded.
    composed_by: ClassVar[tuple[ModuleType, ...]] = ()

    def describe(self) -> dict[str, Any]:
        """Return what of this step stands in the spec: everything but the installation's choice of model."""
        return {
            "name": self.name,
            "code_version": self.code_version,
            "channels": list(self.channels),
            "embedder": self.embedder_alias,
            "params": dict(self.params),
        }

    def code(self) -> str:
        """Return the digest of the code that makes this step's output."""
        modules = [inspect.getmodule(type(self)), *self.composed_by]
        return ":".join(code_digest(inspect.getsource(module)) for module in modules if module is not None)

    @abstractmethod
    def work(self, video: Video, stale: Mapping[str, frozenset[UUID]]) -> Iterator[tuple[Scene, Work]]:
        """Yield the work for a video's stale scenes, given per channel; an empty `source` means that there is nothing to embed."""

    @abstractmethod
    def load(self, work: Work, embedder: Embedder) -> Any:
        """Read one input and prepare it for the model, on any thread and without the database; InputMissing when it cannot be had."""

    @abstractmethod
    def embed(self, embedder: Embedder, inputs: Sequence[Any]) -> NDArray[np.float32]:
        """Return one L2-normalised vector per input, (n, dimensions); EmbedderError for an input that the model refuses."""
