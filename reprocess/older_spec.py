"""The steps of older spaces, as far as today's code still makes the same vectors with the models that those spaces record."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from heimdex.embedders.base import EmbedderIdentity
from heimdex.embedders.errors import EmbedderUnavailable
from heimdex.recorded import identity_in
from reprocess.models import EmbeddingSpec
from reprocess.spec import ConfiguredStep, EffectiveSpec, effective_spec, wanted_steps
from videos.models import EmbeddingSpace
from videos.search.vectors import active_spaces

STEP_CHANGED = "the step that filled it has changed since"
LEFT_OUT = "{channel}: {reason}. What arrived since is found by words until search reads the latest spaces."


@dataclass(frozen=True)
class OlderSpec:
    """What can still be computed for older spaces (None: nothing), and a sentence for each channel that cannot."""

    spec: EffectiveSpec | None
    left_out: tuple[str, ...]


def older_active_spec(owner_id: UUID) -> OlderSpec:
    """Return how to fill those of an owner's active spaces that are not the latest."""
    latest = effective_spec().fingerprints
    return spec_of([space for space in active_spaces(owner_id) if space.fingerprint not in latest])


def recorded_spec(row: EmbeddingSpec) -> EffectiveSpec | None:
    """Return a spec that was recorded; None when today's code or models no longer make the same vectors."""
    prints = [fingerprint for step in row.definition for fingerprint in step["fingerprints"].values()]
    spec = spec_of(EmbeddingSpace.objects.filter(fingerprint__in=prints)).spec
    return spec if spec and spec.digest == row.digest else None


def spec_of(spaces: Iterable[EmbeddingSpace]) -> OlderSpec:
    """Return the steps that fill some spaces, in the order the pipeline runs them; loads no model."""
    known = {step.name: step for step in wanted_steps()}
    steps: dict[tuple[str, EmbedderIdentity], ConfiguredStep] = {}
    left_out: list[str] = []
    versions = set()
    for space in spaces:
        step = known.get(space.step)
        configured = ConfiguredStep(step, space.embedder) if step and space.channel in step.channels else None
        if configured is None or configured.fingerprint(space.channel) != space.fingerprint:
            left_out.append(LEFT_OUT.format(channel=space.channel, reason=STEP_CHANGED))
            continue
        try:
            configured.model()
        except EmbedderUnavailable as error:
            left_out.append(LEFT_OUT.format(channel=space.channel, reason=str(error).rstrip(".")))
            continue
        steps.setdefault((space.step, identity_in(space.embedder)), configured)
        versions.add(space.spec_version)
    ordered = tuple(sorted(steps.values(), key=lambda configured: configured.step.order))
    return OlderSpec(EffectiveSpec(max(versions), ordered) if ordered else None, tuple(left_out))
