"""Plan a run: say what it would do, without doing it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.conf import settings

from heimdex.accounts.models import User
from reprocess.estimates import TimeRange, estimate_time
from reprocess.models import StepUse
from reprocess.plan import ChannelPlan, Plan, plan_channel, with_most_to_do
from reprocess.scope import Scope
from reprocess.spec import ConfiguredStep, EffectiveSpec, effective_spec
from reprocess.staleness import Target, count_channels, count_owners
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
    spaces = {space.fingerprint: space for space in EmbeddingSpace.objects.filter(fingerprint__in=spec.fingerprints)}
    configured_channels = spec.channels()
    targets = [
        Target(configured.step, channel, spaces.get(configured.fingerprint(channel)), _batch_size(configured))
        for configured, channel in configured_channels
    ]
    counted = count_channels(scope, targets, force=force)
    channels = [
        plan_channel(counts, configured.identity.model, settings.MODEL_PRICES, force=force)
        for (configured, _), counts in zip(configured_channels, counted, strict=True)
    ]
    everybody = scope.kind == "all" and any(channel.stale for channel in channels)
    owners, stale_owners = with_most_to_do(count_owners(scope, targets, force=force) if everybody else ())
    return Plan(spec.version, spec.digest, scope.videos().count(), tuple(channels), _time(spec, channels), owners, stale_owners)


def _batch_size(configured: ConfiguredStep) -> int:
    return configured.model().batch_size if configured.step.calls_model else 0


def owner_names(plan: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return a plan's owners by the e-mail addresses that they have now, for people to read."""
    emails = dict(User.objects.filter(pk__in=[owner["owner_id"] for owner in plan["owners"]]).values_list("pk", "email"))
    return [(emails.get(UUID(owner["owner_id"]), owner["owner_id"]), owner) for owner in plan["owners"]]


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
