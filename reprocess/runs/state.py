"""State changes of a run: enqueue it, pause it, record its usage, release its items, and end it."""

from decimal import Decimal
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, Sum
from django.utils import timezone

from heimdex.leases import Lease
from heimdex.queue import enqueue
from reprocess.cutover import activate_complete
from reprocess.models import ReprocessItem, ReprocessRun
from reprocess.planning.plan import compute_cost
from reprocess.runs.counters import OUTCOMES, count_items
from reprocess.runs.engine import Batch
from reprocess.runs.index_words import switch_index
from reprocess.spec import EffectiveSpec

log = structlog.get_logger(__name__)
LIMIT_REACHED = "The run has cost {cost:.2f} and its limit is {limit:.2f}. Resume it with a higher limit, or cancel it."


def enqueue_run(run_id: UUID) -> None:
    """Enqueue a task that works on the run."""
    ReprocessRun.objects.filter(pk=run_id).update(woken_at=timezone.now())
    enqueue("reprocess.tasks.work_run", str(run_id))


def pause_if_open(run_id: UUID, reason: str) -> bool:
    """Pause a queued or running run. Return False when it is already paused or has ended."""
    paused = ReprocessRun.objects.filter(pk=run_id, state__in=ReprocessRun.OPEN).update(state=ReprocessRun.State.PAUSED, error=reason)
    if paused:
        log.warning("Run paused", run_id=str(run_id), reason=reason)
    return bool(paused)


def record_usage(run: ReprocessRun, spec: EffectiveSpec, batch: Batch) -> None:
    """Add a batch to the run's totals, and pause the run at its cost limit. Call it in the transaction that writes the batch."""
    model = next(configured.identity.model for configured in spec.steps if configured.step.name == batch.step)
    cost: Decimal = compute_cost(batch.tokens, model, settings.MODEL_PRICES)
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


def release_items(run: ReprocessRun, lease: Lease) -> None:
    """Release a worker's items, and count what it has computed. In a canceled run, cancel the items."""
    with transaction.atomic():
        items = list(lease.rows.select_for_update().order_by("pk"))
        canceled = ReprocessRun.objects.filter(pk=run.pk, state=ReprocessRun.State.CANCELLED).exists()
        count_items(run, items, untried=None)
        lease.release(
            state=ReprocessItem.State.CANCELLED if canceled else ReprocessItem.State.QUEUED,
            # The attempt does not count, because it did not fail.
            attempts=F("attempts") - 1,
            finished_at=timezone.now() if canceled else None,
        )


def finish_if_done(run: ReprocessRun, spec: EffectiveSpec) -> None:
    """End the run when it has no open item, and enqueue the runs that may have waited for its videos. Idempotent."""
    if run.items.filter(state__in=ReprocessItem.OPEN).exists():
        return
    if not run.is_trial:
        # Again for every owner, because a worker may have died between an owner's last item and the cutover.
        activate_complete(run.items.order_by().values_list("owner_id", flat=True).distinct().iterator(), spec, run)
        if spec.search_index:
            switch_index()
    with transaction.atomic():
        locked = ReprocessRun.objects.select_for_update().get(pk=run.pk)
        if locked.state not in ReprocessRun.OPEN or locked.items.filter(state__in=ReprocessItem.OPEN).exists():
            return
        items = dict(locked.items.order_by().values_list("state").annotate(Count("pk")))
        failed, succeeded = items.get(ReprocessItem.State.FAILED, 0), items.get(ReprocessItem.State.DONE, 0)
        if ReprocessItem.State.CANCELLED in items:
            # Only the failures of a canceled run were retried. The rest of its targets are still not begun.
            state = ReprocessRun.State.CANCELLED
        else:
            # Targets were created or deleted during the run, so the planned number becomes the final one.
            locked.counters.update(planned=F("done") + F("skipped") + F("empty") + F("failed"))
            state = ReprocessRun.State.SUCCEEDED if not failed else ReprocessRun.State.PARTIAL if succeeded else ReprocessRun.State.FAILED
        locked.state, locked.finished_at = state, timezone.now()
        locked.error = f"{failed} of {failed + succeeded} item(s) failed. See the failures for the reasons." if failed else ""
        locked.save(update_fields=["state", "error", "finished_at"])
    _log_end(locked)
    for waiting in ReprocessRun.objects.filter(state__in=ReprocessRun.OPEN).values_list("pk", flat=True):
        enqueue_run(waiting)


def _log_end(run: ReprocessRun) -> None:
    counts = run.counters.aggregate(**{outcome: Sum(outcome, default=0) for outcome in OUTCOMES})
    summary = ", ".join(f"{outcome}={counts[outcome]}" for outcome in OUTCOMES)
    log.info(
        f"Reprocessing completed (spec_version={run.spec_version}, scope={run.scope}, state={run.state}, videos={run.video_count}, "
        f"{summary}, model_calls={run.model_calls})",
        error=run.error,
    )
