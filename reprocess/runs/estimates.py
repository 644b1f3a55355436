"""Estimate the time and the tokens of a plan from what its steps took in earlier runs with the same models."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings

from reprocess.models import StepUse
from reprocess.planning.plan import ChannelPlan, TimeRange, compute_cost, estimate_time
from reprocess.spec import EffectiveSpec

# The rate of a step is taken from this many earlier runs, the newest of this many candidates.
_RUNS_MEASURED = 5
_RUNS_SEARCHED = 50


@dataclass(frozen=True)
class StepEstimate:
    """What one step of a plan takes. `time` is None when the step was never measured with its model.

    `tokens` are those per input of earlier runs, and without any, the plan's.
    """

    step: str
    time: TimeRange | None
    tokens: int
    cost: Decimal


def estimate_steps(spec: EffectiveSpec, channels: Sequence[ChannelPlan]) -> list[StepEstimate]:
    """Estimate each step of a plan that has inputs to compute."""
    estimates = []
    for described in spec.definition:
        planned = [channel for channel in channels if channel.step == described["name"]]
        if inputs := sum(channel.inputs for channel in planned):
            uses = _find_uses(described)
            tokens = _estimate_tokens(inputs, uses) or sum(channel.tokens for channel in planned)
            time = estimate_time(inputs, [use.inputs / use.seconds for use in uses])
            cost = compute_cost(tokens, described["model"]["model"], settings.MODEL_PRICES)
            estimates.append(StepEstimate(described["name"], time, tokens, cost))
    return estimates


def estimate_time_of_steps(steps: Iterable[StepEstimate]) -> TimeRange | None:
    """Return the time of all steps. Return None when one of them was never measured. Pure."""
    total = TimeRange(0.0, 0.0)
    for step in steps:
        if step.time is None:
            return None
        total += step.time
    return total


def _find_uses(described: dict[str, Any]) -> list[StepUse]:
    """Return the newest uses of this step in earlier runs with the same model."""
    measured = StepUse.objects.filter(step=described["name"], inputs__gt=0, seconds__gt=0).select_related("run__spec").order_by("-pk")
    return [use for use in measured[:_RUNS_SEARCHED] if described in use.run.spec.definition][:_RUNS_MEASURED]


def _estimate_tokens(inputs: int, uses: Sequence[StepUse]) -> int:
    measured = sum(use.inputs for use in uses)
    return round(inputs * sum(use.tokens for use in uses) / measured) if measured else 0
