"""State changes of a run that its own workers make too: wake it, and pause it."""

from uuid import UUID

import structlog
from django.utils import timezone

from heimdex.queue import enqueue
from reprocess.models import ReprocessRun

log = structlog.get_logger(__name__)


def wake_run(run_id: UUID) -> None:
    """Enqueue a task that works on the run."""
    ReprocessRun.objects.filter(pk=run_id).update(woken_at=timezone.now())
    enqueue("reprocess.tasks.work_run", str(run_id))


def pause_if_open(run_id: UUID, reason: str) -> bool:
    """Pause a queued or running run and return True. Return False when it is already paused, canceled or ended."""
    paused = ReprocessRun.objects.filter(pk=run_id, state__in=ReprocessRun.OPEN).update(state=ReprocessRun.State.PAUSED, error=reason)
    if paused:
        log.warning("Run paused", run_id=str(run_id), reason=reason)
    return bool(paused)
