"""Plan a run: compute what it would do, without doing it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.conf import settings

from heimdex.accounts.models import User
from reprocess.models import StepUse
from reprocess.planning.estimates import TimeRange, estimate_time
from reprocess.planning.plan import ChannelPlan, Plan, plan_channel, select_top_owners
from reprocess.planning.scope import Scope
from reprocess.planning.staleness import PlannedChannel, count_channels, count_owners
from reprocess.spec import ConfiguredStep, EffectiveSpec, effective_spec
from videos.channels import get_channel
from videos.models import EmbeddingSpace

# The rate of a step is measured in this many earlier runs, newest first, among this many candidates.
_RUNS_MEASURED = 5
_RUNS_SEARCHED = 50


def plan_run(scope: Scope, *, force: bool, spec: EffectiveSpec | None = None) -> Plan:
    """Return what a run over the scope would do. `spec` defaults to the latest. Nothing is written and no model is called.

    Raise ScopeNotFound for an unknown id.
    """
    scope.require_existing()
    spec = spec or effective_spec()
    spaces = {space.fingerprint: space for space in EmbeddingSpace.objects.filter(fingerprint__in=spec.fingerprints)}
    configured_channels = spec.channels()
    planned = [
        PlannedChannel(
            step=configured.step.name,
            channel=channel,
            target_type=configured.step.target_type,
            sources=get_channel(channel).sources,
            space=spaces.get(configured.fingerprint(channel)),
            batch_size=_batch_size(configured),
        )
        for configured, channel in configured_channels
    ]
    counted = count_channels(scope, planned, force=force)
    channels = [
        plan_channel(counts, configured.identity.model, settings.MODEL_PRICES, force=force)
        for (configured, _), counts in zip(configured_channels, counted, strict=True)
    ]
    everybody = scope.kind == "all" and any(channel.stale for channel in channels)
    owners, stale_owners = select_top_owners(count_owners(scope, planned, force=force) if everybody else ())
    return Plan(
        spec.version, spec.digest, scope.videos().count(), tuple(channels), _estimate_total_time(spec, channels), owners, stale_owners
    )


def _batch_size(configured: ConfiguredStep) -> int:
    return configured.model().batch_size if configured.step.calls_model else 0


def owner_names(plan: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return a plan's owners with their current e-mail addresses."""
    emails = dict(User.objects.filter(pk__in=[owner["owner_id"] for owner in plan["owners"]]).values_list("pk", "email"))
    return [(emails.get(UUID(owner["owner_id"]), owner["owner_id"]), owner) for owner in plan["owners"]]


def _estimate_total_time(spec: EffectiveSpec, channels: list[ChannelPlan]) -> TimeRange | None:
    """Return the total time of all steps. Return None when a step was never measured with its model."""
    total = TimeRange(0.0, 0.0)
    for described in spec.definition:
        inputs = sum(channel.inputs for channel in channels if channel.step == described["name"])
        needed = estimate_time(inputs, _measure_rates(described) if inputs else [])
        if needed is None:
            return None
        total += needed
    return total


def _measure_rates(described: dict[str, Any]) -> list[float]:
    """Return the rates, in inputs per second, of earlier runs in which this step had the same model."""
    measured = StepUse.objects.filter(step=described["name"], inputs__gt=0, seconds__gt=0).select_related("run__spec").order_by("-pk")
    same = [use for use in measured[:_RUNS_SEARCHED] if described in use.run.spec.definition]
    return [use.inputs / use.seconds for use in same[:_RUNS_MEASURED]]
