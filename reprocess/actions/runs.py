"""Pause, resume and cancel a run, and retry its failures. API, command and admin share these."""

from collections.abc import Callable
from decimal import Decimal
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from heimdex.errors import WrongState
from heimdex.outages.models import NOT_WAITING
from reprocess.models import ReprocessItem, ReprocessRun
from reprocess.planning.targets import PEOPLE, PHOTOS, SCENES
from reprocess.runs.rescue import cancel_lost_items
from reprocess.runs.state import enqueue_run, pause_if_open
from videos.models import EmbeddingRow

log = structlog.get_logger(__name__)

PAUSED_BY_OPERATOR = "Paused by an operator."


def pause_run(run_id: UUID) -> None:
    """Pause a queued or running run. Its workers stop after the current batch, and computed vectors are kept.

    A run that waits for the end of an outage then waits for an operator. Raise WrongState for any other state.
    """
    waiting = ReprocessRun.objects.filter(pk=run_id, state=ReprocessRun.State.PAUSED).exclude(waits_for="")
    if not waiting.update(error=PAUSED_BY_OPERATOR, **NOT_WAITING) and not pause_if_open(run_id, PAUSED_BY_OPERATOR):
        raise WrongState("Only a queued or running run can be paused.")


def resume_run(run_id: UUID, max_cost: Decimal | None = None) -> None:
    """Resume a paused run. `max_cost` replaces the old limit. Raise WrongState for any other state."""
    with transaction.atomic():
        paused = ReprocessRun.objects.select_for_update().filter(pk=run_id, state=ReprocessRun.State.PAUSED)
        if not paused.exists():
            raise WrongState("Only a paused run can be resumed.")
        if max_cost is not None:
            paused.update(max_cost=max_cost)
        if paused.get().limit_reached:
            raise WrongState("The run has reached its cost limit. Resume it with a higher limit.")
        paused.update(state=ReprocessRun.State.QUEUED, error="", **NOT_WAITING)
        enqueue_run(run_id)


def cancel_run(run_id: UUID) -> None:
    """Cancel an unfinished run. Its workers release their items after the current batch, and computed vectors are kept.

    Raise WrongState when the run has already ended.
    """
    now = timezone.now()
    with transaction.atomic():
        canceled = ReprocessRun.objects.filter(pk=run_id, state__in=ReprocessRun.UNFINISHED).update(
            state=ReprocessRun.State.CANCELLED, error="", finished_at=now, **NOT_WAITING
        )
        if not canceled:
            raise WrongState("Only a run that has not ended can be canceled.")
        items = ReprocessItem.objects.filter(run_id=run_id)
        items.filter(state=ReprocessItem.State.QUEUED).update(state=ReprocessItem.State.CANCELLED, finished_at=now)
        # Others stop after their batch.
        cancel_lost_items(items)
    log.warning("Run canceled", run_id=str(run_id))


def retry_failures(run_id: UUID) -> int:
    """Reopen the failed items of an ended run, and return how many. Only their failed vectors are computed again.

    Raise WrongState when the run has not ended or nothing failed.
    """
    with transaction.atomic():
        run = ReprocessRun.objects.select_for_update().get(pk=run_id)
        if run.state in ReprocessRun.UNFINISHED:
            raise WrongState("The run has not ended yet. Retry its failures when it has.")
        failed = list(run.items.select_for_update().filter(state=ReprocessItem.State.FAILED))
        if not failed:
            raise WrongState("Nothing failed in this run.")
        _delete_failures(run, failed)
        run.items.filter(pk__in=[item.pk for item in failed]).update(
            state=ReprocessItem.State.QUEUED, attempts=0, counts={}, error="", finished_at=None
        )
        ReprocessRun.objects.filter(pk=run.pk).update(state=ReprocessRun.State.QUEUED, error="", finished_at=None)
        enqueue_run(run.pk)
    return len(failed)


def _delete_failures(run: ReprocessRun, items: list[ReprocessItem]) -> None:
    """Subtract the items from the run's counters, and delete their failures."""
    for item in items:
        for channel, counts in item.counts.items():
            run.counters.filter(channel=channel).update(**{name: F(name) - number for name, number in counts.items()})
    videos = [item.video_id for item in items if item.video_id]
    owners = [item.owner_id for item in items if not item.video_id]
    # Without the id of this run, a failed row counts as not tried.
    tried = {"run_id": run.pk, "state": EmbeddingRow.State.FAILED}
    SCENES.filter_embeddings(scene__video_id__in=videos, **tried).update(run_id=None)
    for target in (PHOTOS, PEOPLE):
        target.filter_embeddings(owner__in=owners, **tried).update(run_id=None)
    run.failures.filter(Q(video_id__in=videos) | Q(video__isnull=True, owner__in=owners)).delete()


CONTROLS: dict[str, Callable[[UUID], object]] = {
    "pause": pause_run,
    "resume": resume_run,
    "cancel": cancel_run,
    "retry-failed": retry_failures,
}
