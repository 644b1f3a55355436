"""Record what a batch has used, and pause the run at its cost limit."""

from decimal import Decimal

from django.conf import settings
from django.db.models import F

from reprocess.models import ReprocessRun
from reprocess.planning.estimates import cost_of
from reprocess.runs.control import pause_if_open
from reprocess.runs.engine import Batch
from reprocess.spec import EffectiveSpec

LIMIT_REACHED = "The run has cost {cost:.2f} and its limit is {limit:.2f}. Resume it with a higher limit, or cancel it."


def record_usage(run: ReprocessRun, spec: EffectiveSpec, batch: Batch) -> None:
    """Add a batch to the run's totals and pause the run when it reaches its limit. Call it in the transaction that writes the batch."""
    model = next(configured.identity.model for configured in spec.steps if configured.step.name == batch.step)
    cost: Decimal = cost_of(batch.tokens, model, settings.MODEL_PRICES)
    run.uses.filter(step=batch.step).update(
        inputs=F("inputs") + batch.inputs,
        model_calls=F("model_calls") + batch.model_calls,
        tokens=F("tokens") + batch.tokens,
        seconds=F("seconds") + batch.seconds,
    )
    ReprocessRun.objects.filter(pk=run.pk).update(
        model_calls=F("model_calls") + batch.model_calls, tokens=F("tokens") + batch.tokens, cost=F("cost") + cost
    )
    if run.max_cost is not None:
        run.refresh_from_db(fields=["cost", "max_cost"])
        if run.limit_reached:
            pause_if_open(run.pk, LIMIT_REACHED.format(cost=run.cost, limit=run.max_cost))
