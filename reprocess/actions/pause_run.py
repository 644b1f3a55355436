"""Pause a run: its workers stop at the next border between batches, and what is done stays done."""

from uuid import UUID

import structlog

from reprocess.actions.errors import WrongState
from reprocess.models import ReprocessRun

log = structlog.get_logger(__name__)

BY_HAND = "Paused by an operator."


def pause_run(run_id: UUID, reason: str = BY_HAND) -> None:
    """Pause a queued or running run, with the reason that operators see; WrongState for any other."""
    if not pause_if_open(run_id, reason):
        raise WrongState("Only a queued or running run can be paused.")


def pause_if_open(run_id: UUID, reason: str) -> bool:
    """Pause a run that others may have paused, cancelled or ended meanwhile; return whether it was paused by this call."""
    paused = ReprocessRun.objects.filter(pk=run_id, state__in=ReprocessRun.OPEN).update(state=ReprocessRun.State.PAUSED, error=reason)
    if paused:
        log.warning("Run paused", run_id=str(run_id), reason=reason)
    return bool(paused)
