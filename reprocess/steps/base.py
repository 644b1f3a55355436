"""What a step is: which channels it fills, from what, and by which model."""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet

from heimdex.embedders.base import Embedder
from reprocess.fingerprints import code_digest
from reprocess.subjects import SCENES, Kind
from reprocess.work import Outcome, Result, Subject, Work
from videos.models import EmbeddingSpace, Scene, Video


class InputMissing(Exception):
    """What a step should embed cannot be read; the message says what and why."""


class Step(ABC):
    """A unit of the pipeline that gives each subject of a kind one vector per channel."""

    kind: ClassVar[Kind]
    name: ClassVar[str]
    order: ClassVar[int]
    code_version: ClassVar[int]
    channels: ClassVar[tuple[str, ...]]
    embedder_alias: ClassVar[str]
    # Whether vectors are computed by the model, and not from other vectors of it.
    calls_model: ClassVar[bool] = True
    params: ClassVar[Mapping[str, Any]]
    # The step whose vectors this one is made from, by the same model: when that one changes, so do these.
    reads: ClassVar[str] = ""
    # By channel: the fields from which a plan estimates the length of its texts.
    texts: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    # Modules beside the step's own whose code decides what is embedded.
    composed_by: ClassVar[tuple[ModuleType, ...]] = ()

    def describe(self) -> dict[str, Any]:
        """Return what of this step stands in the spec: everything but the installation's choice of model."""
        described = {
            "name": self.name,
            "code_version": self.code_version,
            "channels": list(self.channels),
            "embedder": self.embedder_alias,
            "params": dict(self.params),
        }
        return {**described, "reads": self.reads} if self.reads else described

    def code(self) -> str:
        """Return the digest of the code that makes this step's output."""
        modules = [inspect.getmodule(type(self)), *self.composed_by]
        return ":".join(code_digest(inspect.getsource(module)) for module in modules if module is not None)

    @abstractmethod
    def load(self, work: Work, embedder: Embedder) -> Any:
        """Read one input and prepare it for the model, on any thread and without the database; InputMissing when it cannot be had."""

    @abstractmethod
    def embed(self, embedder: Embedder, inputs: Sequence[Any]) -> Sequence[Result]:
        """Return one result per input, its vector L2-normalised; InputsRefused for inputs that the model refuses."""

    def store(self, outcomes: Sequence[Outcome]) -> None:  # noqa: B027 - most steps find nothing beside their vectors
        """Put into the storage what was found beside the vectors; before the transaction of `keep`, which may not come."""

    def keep(self, outcomes: Sequence[Outcome], spaces: Mapping[str, EmbeddingSpace]) -> None:  # noqa: B027
        """Write what was found beside the vectors, in the transaction that writes them; `spaces` are all of the spec's, by channel."""


class SceneStep(Step):
    """A step over the scenes of videos."""

    kind = SCENES

    @abstractmethod
    def work(self, video: Video, stale: Mapping[str, frozenset[UUID]]) -> Iterator[tuple[Scene, Work]]:
        """Yield the work for a video's stale scenes, given per channel; an empty `source` means that there is nothing to embed."""


class PeopleStep(Step):
    """A step over an owner's people, of one channel; it runs once per owner, not per video."""

    @property
    def channel(self) -> str:
        """Return the one channel that it fills."""
        return self.channels[0]

    @abstractmethod
    def work(self, stale: QuerySet[Any], spaces: Mapping[str, EmbeddingSpace]) -> Iterator[tuple[Subject, Work]]:
        """Yield the work for the stale subjects of one owner; `spaces` are all of the spec's, by channel."""
