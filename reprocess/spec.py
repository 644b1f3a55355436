"""The embedding spec: the one place that says what "the latest embeddings" are."""

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from django.conf import settings

from heimdex.embedders.base import Embedder, EmbedderIdentity
from heimdex.recorded import embedder_of, identity_in, record_of
from reprocess.fingerprints import digest
from reprocess.steps import all_steps, step_named
from reprocess.steps.base import Step
from reprocess.subjects import Kind
from videos.models import EmbeddingSpace

LATEST_EMBEDDING_SPEC_VERSION = "2026-01-06"


@dataclass(frozen=True)
class ConfiguredStep:
    """A step together with its model, as a space records it: the one that this installation gives it, or an older one."""

    step: Step
    model_record: dict[str, Any]

    @property
    def identity(self) -> EmbedderIdentity:
        """Say which model it is."""
        return identity_in(self.model_record)

    def model(self) -> Embedder:
        """Return the model; EmbedderUnavailable when it is an older one that cannot be had any more. Loads nothing."""
        return embedder_of(self.model_record)

    def fingerprint(self, channel: str) -> str:
        """Return the hash of all that determines this channel's vectors: name, code version, parameters, model, the step that it reads."""
        determined: dict[str, Any] = {
            "step": self.step.name,
            "channel": channel,
            "code_version": self.step.code_version,
            "params": dict(self.step.params),
            "embedder": asdict(self.identity),
        }
        if self.step.reads:
            read = ConfiguredStep(step_named(self.step.reads), self.model_record)
            determined["reads"] = [read.fingerprint(of_read) for of_read in read.step.channels]
        return digest(determined)

    def space(self, channel: str) -> EmbeddingSpace:
        """Return the space of this channel's vectors; it is created when it is first needed."""
        space, _ = EmbeddingSpace.objects.get_or_create(
            channel=channel,
            fingerprint=self.fingerprint(channel),
            defaults={
                "step": self.step.name,
                "spec_version": LATEST_EMBEDDING_SPEC_VERSION,
                "embedder": self.model_record,
                "dimensions": self.identity.dimensions,
            },
        )
        if space.embedder != self.model_record:
            # The same model is reached in another way now: its server moved, say.
            space.embedder = self.model_record
            space.save(update_fields=["embedder"])
        return space


@dataclass(frozen=True)
class EffectiveSpec:
    """The latest spec as this installation runs it: the ordered steps with their configured models."""

    version: str
    steps: tuple[ConfiguredStep, ...]

    @cached_property
    def definition(self) -> list[dict[str, Any]]:
        """Return the steps as plain data."""
        return [
            {
                **configured.step.describe(),
                "model": asdict(configured.identity),
                "fingerprints": {channel: configured.fingerprint(channel) for channel in configured.step.channels},
            }
            for configured in self.steps
        ]

    @cached_property
    def digest(self) -> str:
        """Return the hash of the definition; two installations with equal digests make comparable vectors."""
        return digest(self.definition)

    @property
    def fingerprints(self) -> set[str]:
        """Return the fingerprints of the spaces that the spec fills."""
        return {configured.fingerprint(channel) for configured, channel in self.channels()}

    def channels(self, *kinds: Kind) -> list[tuple[ConfiguredStep, str]]:
        """Return every channel with the step that fills it, in order; those of some kinds of subjects alone, when told."""
        steps = (configured for configured in self.steps if not kinds or configured.step.kind in kinds)
        return [(configured, channel) for configured in steps for channel in configured.step.channels]

    def spaces(self) -> dict[str, EmbeddingSpace]:
        """Return the spaces that the spec fills, by channel; they are created when they are first needed."""
        return {channel: configured.space(channel) for configured, channel in self.channels()}


def effective_spec() -> EffectiveSpec:
    """Return the latest spec with this installation's models; loads no model."""
    return EffectiveSpec(
        version=LATEST_EMBEDDING_SPEC_VERSION,
        steps=tuple(ConfiguredStep(step, record_of(step.embedder_alias)) for step in wanted_steps()),
    )


def wanted_steps() -> list[Step]:
    """Return the steps that this installation runs, in order: without a model for faces, none that needs it."""
    return [step for step in all_steps() if step.embedder_alias in settings.MODEL_BACKENDS]
