"""Pause a run during an outage, and resume it afterwards."""

from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from heimdex.outages.classify import OutageKind, find_outage
from heimdex.outages.models import build_wait_update, filter_resumable
from heimdex.outages.record import begin_outage
from heimdex.outages.texts import WAITING_LABELS
from reprocess.models import ReprocessRun
from reprocess.runs.state import enqueue_run, pause_if_open

log = structlog.get_logger(__name__)

WAITS = "{label}, and continues by itself. {reason}"
NEEDS_FIX = "{reason} This happens again and again although a probe succeeds. Fix it, then resume the run."


def pause_for_outage(run_id: UUID, error: Exception) -> bool:
    """Pause an open run until the outage that caused an error is over. Return False for an error that is no such outage.

    A run that was paused or canceled meanwhile stays so. One that has waited again and again without any progress waits for a person.
    """
    kind = find_outage(error)
    if kind is None or kind is OutageKind.DATABASE:
        # Without the database nothing can be recorded, and the rescue wakes a worker when it is back.
        return False
    with transaction.atomic():
        run = ReprocessRun.objects.select_for_update().filter(pk=run_id).first()
        if run is None or run.state not in ReprocessRun.OPEN:
            return True
        if run.has_waited_enough:
            pause_if_open(run_id, NEEDS_FIX.format(reason=error))
            return True
        ReprocessRun.objects.filter(pk=run_id).update(
            state=ReprocessRun.State.PAUSED,
            error=WAITS.format(label=WAITING_LABELS[kind], reason=error),
            **build_wait_update(run, kind),
        )
    begin_outage(kind, str(error))
    log.warning("Run waits for the end of an outage", run_id=str(run_id), kind=str(kind), reason=str(error))
    return True


def resume_after_outages() -> int:
    """Resume the runs whose outage is over. Return how many."""
    with transaction.atomic():
        paused = ReprocessRun.objects.filter(state=ReprocessRun.State.PAUSED)
        runs = list(filter_resumable(paused, timezone.now()).select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True))
        ReprocessRun.objects.filter(pk__in=runs).update(state=ReprocessRun.State.QUEUED, error="", waits_for="", waits_until=None)
        for run_id in runs:
            enqueue_run(run_id)
    return len(runs)
