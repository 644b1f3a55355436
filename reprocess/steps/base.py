"""The interface of a step: the channels it fills, their inputs, and the model it uses."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet

from heimdex.embedders.base import Embedder
from people.models import Person, PersonPhoto
from reprocess.planning.targets import SCENES, TargetType
from reprocess.steps.embedding_task import EmbeddingTask, Outcome, Result, Target
from videos.channels import Channel
from videos.input_hashes import SceneContent, load_hashes
from videos.models import EmbeddingSpace, Scene, Video


class InputMissing(Exception):
    """An input cannot be read; the message names the input and the reason."""


class Step(ABC):
    """A unit of the pipeline that gives each target of one type one vector per channel."""

    target_type: ClassVar[TargetType]
    name: ClassVar[str]
    order: ClassVar[int]
    # Raise it with every change to the code that composes inputs or computes vectors: the step's spaces get new fingerprints.
    code_version: ClassVar[int]
    # The channels, with the sources that their inputs are composed of.
    fills: ClassVar[tuple[Channel, ...]]
    embedder_alias: ClassVar[str]
    # False for a step that derives its vectors from other vectors of the same model.
    calls_model: ClassVar[bool] = True
    params: ClassVar[Mapping[str, Any]]
    # The step whose vectors this one is computed from, with the same model: when that one changes, so does this one.
    reads: ClassVar[str] = ""

    @property
    def channels(self) -> tuple[str, ...]:
        """Return the names of the channels."""
        return tuple(channel.name for channel in self.fills)

    def describe(self) -> dict[str, Any]:
        """Return the step's part of the spec: everything but the installation's choice of model."""
        described = {
            "name": self.name,
            "code_version": self.code_version,
            "channels": list(self.channels),
            "embedder": self.embedder_alias,
            "params": dict(self.params),
        }
        return {**described, "reads": self.reads} if self.reads else described

    @abstractmethod
    def prepare(self, task: EmbeddingTask, embedder: Embedder) -> Any:
        """Read one input and prepare it for the model, on any thread and without the database. Raise InputMissing if it is unreadable."""

    @abstractmethod
    def embed(self, embedder: Embedder, inputs: Sequence[Any]) -> Sequence[Result]:
        """Return one result per input with an L2-normalized vector. Raise InputsRejected for inputs that the model rejects."""

    def upload_artifacts(self, outcomes: Sequence[Outcome]) -> None:  # noqa: B027 - most steps have no artifacts
        """Store files that belong to the outcomes. Called before the transaction of `persist`, which may never commit."""

    def persist(self, outcomes: Sequence[Outcome], spaces: Mapping[str, EmbeddingSpace]) -> None:  # noqa: B027
        """Write further rows in the transaction that writes the vectors; `spaces` are all spaces of the spec by channel."""


class SceneStep(Step):
    """A step over the scenes of videos."""

    target_type = SCENES

    @abstractmethod
    def compose_inputs(self, video_id: UUID) -> Iterator[tuple[Scene, Mapping[str, SceneContent]]]:
        """Yield every scene of a video with the content of each channel. Read the database: the result is also stored as hashes."""

    def select_tasks(self, video: Video, stale: Mapping[str, frozenset[UUID]]) -> Iterator[tuple[Scene, EmbeddingTask]]:
        """Yield the tasks for a video's stale scenes, given per channel; an empty `source` means that there is nothing to embed."""
        # Read before the inputs: if a source changes in between, the hash is the older one, and the outcome is dropped as outdated.
        stored = load_hashes(SCENES.input_model, self.channels, scene__video=video)
        for scene, contents in self.compose_inputs(video.pk):
            for channel, content in contents.items():
                if scene.pk in stale[channel]:
                    key, source = (scene.pk, channel), content.source if content.hash else ""
                    yield scene, EmbeddingTask(scene.pk, scene.owner_id, channel, content.hash, stored.get(key), source)


class PeopleStep(Step):
    """A step over an owner's photos or people, with one channel. It runs once per owner, not per video."""

    @property
    def channel(self) -> str:
        """Return the name of the step's only channel."""
        return self.channels[0]

    @abstractmethod
    def compute_hashes(self, targets: QuerySet[Any]) -> Mapping[UUID, str]:
        """Return the hash of each target's input; an empty hash means that there is nothing to embed."""

    @abstractmethod
    def load_sources(
        self, targets: Sequence[Any], spaces: Mapping[str, EmbeddingSpace]
    ) -> Mapping[UUID, str | tuple[str, ...] | tuple[bytes, ...]]:
        """Return the source of each target's input; targets without one have nothing to embed."""

    def select_tasks(self, stale: QuerySet[Any], spaces: Mapping[str, EmbeddingSpace]) -> Iterator[tuple[Target, EmbeddingTask]]:
        """Yield the tasks for one owner's stale targets; `spaces` are all spaces of the spec by channel."""
        ids = list(stale.order_by().values_list("pk", flat=True))
        # Read before the sources, for the same reason as in `SceneStep.select_tasks`.
        stored = load_hashes(self.target_type.input_model, self.channels, **{f"{self.target_type.name}__in": ids})
        # Filtered again: a photo that another worker has leased since drops out.
        chosen = stale.filter(pk__in=ids)
        hashes = self.compute_hashes(chosen)
        targets: list[Person | PersonPhoto] = list(chosen.order_by("created_at", "pk"))
        sources = self.load_sources(targets, spaces)
        for target in targets:
            value = hashes.get(target.pk, "")
            key, source = (target.pk, self.channel), sources.get(target.pk, "") if value else ""
            yield target, EmbeddingTask(target.pk, target.owner_id, self.channel, value, stored.get(key), source)
