"""The latest embedding spec: its version, its ordered steps, and the models of this installation."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings

from heimdex.embedders.base import Embedder, EmbedderIdentity
from heimdex.embedders.snapshot import load_embedder, read_identity, snapshot_embedder
from reprocess.planning.targets import TargetType
from reprocess.steps import get_step, list_steps
from reprocess.steps.base import Step
from reprocess.steps.search_index import INDEX_STEP
from videos.models import EmbeddingSpace
from videos.search.lexical.search_index import get_index_identity

LATEST_EMBEDDING_SPEC_VERSION = "2026-01-06"


@dataclass(frozen=True)
class ConfiguredStep:
    """A step and the snapshot of its model: the model that this installation configures, or the one that an older space records."""

    step: Step
    model_snapshot: dict[str, Any]

    @property
    def identity(self) -> EmbedderIdentity:
        """Return the identity of the model."""
        return read_identity(self.model_snapshot)

    def load_model(self) -> Embedder:
        """Return the model without loading its weights. Raise ModelUnavailable when an older model can no longer be built."""
        return load_embedder(self.model_snapshot)

    def compute_fingerprint(self, channel: str) -> str:
        """Return the hash of everything that determines the channel's vectors: step, code version, parameters, model, and the step read."""
        determined: dict[str, Any] = {
            "step": self.step.name,
            "channel": channel,
            "code_version": self.step.code_version,
            "params": dict(self.step.params),
            "embedder": self.identity.describe(),
        }
        if self.step.reads:
            source = ConfiguredStep(get_step(self.step.reads), self.model_snapshot)
            determined["reads"] = [source.compute_fingerprint(source_channel) for source_channel in source.step.channels]
        return hash_json(determined)

    def ensure_space(self, channel: str) -> EmbeddingSpace:
        """Return the space of the channel's vectors; create it when it is first needed."""
        space, _ = EmbeddingSpace.objects.get_or_create(
            channel=channel,
            fingerprint=self.compute_fingerprint(channel),
            defaults={
                "step": self.step.name,
                "spec_version": LATEST_EMBEDDING_SPEC_VERSION,
                "embedder": self.model_snapshot,
                "dimensions": self.identity.dimensions,
            },
        )
        if space.embedder != self.model_snapshot:
            # The same model is now reached in another way; for example, its server has moved.
            space.embedder = self.model_snapshot
            space.save(update_fields=["embedder"])
        return space


@dataclass(frozen=True)
class EffectiveSpec:
    """A spec as this installation runs it: the ordered steps with their models."""

    version: str
    steps: tuple[ConfiguredStep, ...]
    # The description of the step that writes the search index. A spec that only fills older spaces has none.
    search_index: Mapping[str, Any] | None = None

    @cached_property
    def definition(self) -> list[dict[str, Any]]:
        """Return the steps as JSON data."""
        computed = [
            {
                **configured.step.describe(),
                "model": configured.identity.describe(),
                "fingerprints": {channel: configured.compute_fingerprint(channel) for channel in configured.step.channels},
            }
            for configured in self.steps
        ]
        return [*computed, dict(self.search_index)] if self.search_index else computed

    @cached_property
    def digest(self) -> str:
        """Return the hash of the definition; two installations with equal digests compute comparable vectors."""
        return hash_json(self.definition)

    @property
    def fingerprints(self) -> set[str]:
        """Return the fingerprints of the spaces that the spec fills."""
        return {configured.compute_fingerprint(channel) for configured, channel in self.list_channels()}

    def list_channels(self, *target_types: TargetType) -> list[tuple[ConfiguredStep, str]]:
        """Return every channel with its step, in order; only those of some target types, if given."""
        steps = (configured for configured in self.steps if not target_types or configured.step.target_type in target_types)
        return [(configured, channel) for configured in steps for channel in configured.step.channels]

    def ensure_spaces(self) -> dict[str, EmbeddingSpace]:
        """Return the spaces that the spec fills, by channel; create those that do not exist yet."""
        return {channel: configured.ensure_space(channel) for configured, channel in self.list_channels()}


def get_effective_spec() -> EffectiveSpec:
    """Return the latest spec with this installation's models. Loads no model."""
    return EffectiveSpec(
        version=LATEST_EMBEDDING_SPEC_VERSION,
        steps=tuple(ConfiguredStep(step, snapshot_embedder(step.embedder_alias)) for step in list_enabled_steps()),
        search_index=_describe_index_step(),
    )


def _describe_index_step() -> dict[str, Any]:
    """Return the step `search_index` with the backend of this installation. It fills no space, so it has no fingerprints of channels."""
    identity = get_index_identity()
    backend = (
        EmbedderIdentity("opensearch", "OpenSearch", f"mapping {identity.mapping_version}, analysis {identity.analysis_version}", 0)
        if identity
        else EmbedderIdentity("database", "words in the database", "", 0)
    )
    return {**INDEX_STEP.describe(), "model": backend.describe(), "fingerprints": {}}


def list_enabled_steps() -> list[Step]:
    """Return the steps that this installation runs, in order; steps whose model is not configured (faces, for example) are left out."""
    return [step for step in list_steps() if step.embedder_alias in settings.MODEL_BACKENDS]


def hash_json(value: Any) -> str:
    """Return the SHA-256 of a value's canonical JSON, as hexadecimal."""
    return hashlib.sha256(to_canonical_json(value).encode()).hexdigest()


def to_canonical_json(value: Any) -> str:
    """Return JSON with sorted keys and no spaces, so that equal values give equal text. Raise TypeError for what JSON cannot hold."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
