"""Cancel a run: its workers stop at the next border between batches; what is computed stays and is never computed again."""

from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from reprocess.actions.errors import WrongState
from reprocess.models import ReprocessItem, ReprocessRun

log = structlog.get_logger(__name__)


def cancel_run(run_id: UUID) -> None:
    """End an unfinished run; items that a worker is at are released by it. WrongState when the run has ended already."""
    now = timezone.now()
    with transaction.atomic():
        cancelled = ReprocessRun.objects.filter(pk=run_id, state__in=ReprocessRun.UNFINISHED).update(
            state=ReprocessRun.State.CANCELLED, error="", finished_at=now
        )
        if not cancelled:
            raise WrongState("Only a run that has not ended can be cancelled.")
        waiting = ReprocessItem.objects.filter(run_id=run_id, state__in=ReprocessItem.OPEN, lease_token__isnull=True)
        waiting.update(state=ReprocessItem.State.CANCELLED, finished_at=now)
    log.warning("Run cancelled", run_id=str(run_id))
