"""Plan a run: say what it would do, without doing it."""

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
    """Return the time that all steps take together; None when one of them was never measured under this spec."""
    total = TimeRange(0.0, 0.0)
    for configured in spec.steps:
        inputs = sum(channel.inputs for channel in channels if channel.step == configured.step.name)
        measured = StepUse.objects.filter(step=configured.step.name, run__spec_id=spec.digest, inputs__gt=0, seconds__gt=0)
        rates = [use.inputs / use.seconds for use in measured.order_by("-pk")[:_RUNS_MEASURED]] if inputs else []
        needed = estimate_time(inputs, rates)
        if needed is None:
            return None
        total += needed
    return total
