"""Plan a run: say what it would do, without doing it."""

from typing import Any

from django.conf import settings

from reprocess.estimates import TimeRange, estimate_time
from reprocess.models import StepUse
from reprocess.plan import ChannelPlan, Plan, plan_channel
from reprocess.scope import Scope
from reprocess.spec import EffectiveSpec, effective_spec
from reprocess.staleness import Target, count_channels
from videos.models import EmbeddingSpace

# Earlier runs from which the rate of a step is taken, the newest first.
_RUNS_MEASURED = 5
_RUNS_LOOKED_AT = 50


def plan_run(scope: Scope, *, force: bool, spec: EffectiveSpec | None = None) -> Plan:
    """Return what a run over the scope would do, to the latest spec unless told; writes nothing and calls no model.

    ScopeNotFound for an unknown id.
    """
    scope.require_existing()
    spec = spec or effective_spec()
    wanted = {configured.fingerprint(channel) for configured, channel in spec.channels()}
    spaces = {space.fingerprint: space for space in EmbeddingSpace.objects.filter(fingerprint__in=wanted)}
    configured_channels = spec.channels()
    targets = [
        Target(configured.step, channel, spaces.get(configured.fingerprint(channel)), configured.model().batch_size)
        for configured, channel in configured_channels
    ]
    counted = count_channels(scope.scenes(), targets, force=force)
    channels = [
        plan_channel(counts, configured.identity.model, settings.MODEL_PRICES, force=force)
        for (configured, _), counts in zip(configured_channels, counted, strict=True)
    ]
    return Plan(spec.version, spec.digest, scope.videos().count(), tuple(channels), _time(spec, channels))


def _time(spec: EffectiveSpec, channels: list[ChannelPlan]) -> TimeRange | None:
    """Return the time that all steps take together; None when one of them was never measured with its model."""
    total = TimeRange(0.0, 0.0)
    for described in spec.definition:
        inputs = sum(channel.inputs for channel in channels if channel.step == described["name"])
        needed = estimate_time(inputs, _rates(described) if inputs else [])
        if needed is None:
            return None
        total += needed
    return total


def _rates(described: dict[str, Any]) -> list[float]:
    """Return the inputs per second of earlier runs in which this step had the same model."""
    measured = StepUse.objects.filter(step=described["name"], inputs__gt=0, seconds__gt=0).select_related("run__spec").order_by("-pk")
    same = [use for use in measured[:_RUNS_LOOKED_AT] if described in use.run.spec.definition]
    return [use.inputs / use.seconds for use in same[:_RUNS_MEASURED]]
