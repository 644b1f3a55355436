"""Specs of older spaces, as far as today's code computes the same vectors with the models that those spaces record."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import UUID

from heimdex.embedders.base import EmbedderIdentity
from heimdex.embedders.snapshot import read_identity
from heimdex.errors import ModelUnavailable
from reprocess.models import EmbeddingSpec
from reprocess.spec.latest import ConfiguredStep, EffectiveSpec, get_effective_spec, list_enabled_steps
from reprocess.steps.search_index import INDEX_STEP
from videos.models import EmbeddingSpace
from videos.search.vectors import list_active_spaces

STEP_CHANGED = "the step that filled it has changed since"
UNAVAILABLE = "{channel}: {reason}. New videos are found only by lexical search until the cutover to the latest spaces."


@dataclass(frozen=True)
class HistoricalSpec:
    """The steps that older spaces can still be filled with (None: no space can), and a sentence per channel that cannot be filled."""

    spec: EffectiveSpec | None
    unavailable: tuple[str, ...]


def build_historical_spec(owner_id: UUID) -> HistoricalSpec:
    """Return the spec of an owner's active spaces that are not the latest."""
    latest = get_effective_spec().fingerprints
    return build_spec_for_spaces([space for space in list_active_spaces(owner_id) if space.fingerprint not in latest])


def load_recorded_spec(row: EmbeddingSpec) -> EffectiveSpec | None:
    """Return a recorded spec; None when today's code or models no longer compute the same vectors."""
    fingerprints = [fingerprint for step in row.definition for fingerprint in step["fingerprints"].values()]
    spec = build_spec_for_spaces(EmbeddingSpace.objects.filter(fingerprint__in=fingerprints)).spec
    if spec and row.definition[-1]["name"] == INDEX_STEP.name:
        # Whatever backend that release searched words with, documents are written for the one of today.
        spec = replace(spec, search_index=row.definition[-1])
    return spec if spec and spec.digest == row.digest else None


def build_spec_for_spaces(spaces: Iterable[EmbeddingSpace]) -> HistoricalSpec:
    """Return the steps that fill some spaces, in pipeline order. Loads no model."""
    known = {step.name: step for step in list_enabled_steps()}
    steps: dict[tuple[str, EmbedderIdentity], ConfiguredStep] = {}
    unavailable: list[str] = []
    versions = set()
    for space in spaces:
        step = known.get(space.step)
        configured = ConfiguredStep(step, space.embedder) if step and space.channel in step.channels else None
        if configured is None or configured.compute_fingerprint(space.channel) != space.fingerprint:
            unavailable.append(UNAVAILABLE.format(channel=space.channel, reason=STEP_CHANGED))
            continue
        try:
            configured.load_model()
        except ModelUnavailable as error:
            unavailable.append(UNAVAILABLE.format(channel=space.channel, reason=str(error).rstrip(".")))
            continue
        steps.setdefault((space.step, read_identity(space.embedder)), configured)
        versions.add(space.spec_version)
    ordered = tuple(sorted(steps.values(), key=lambda configured: configured.step.order))
    return HistoricalSpec(EffectiveSpec(max(versions), ordered) if ordered else None, tuple(unavailable))
