"""Resume a paused run."""

from decimal import Decimal
from uuid import UUID

from django.db import transaction

from reprocess.actions.errors import WrongState
from reprocess.actions.start_run import wake
from reprocess.models import ReprocessRun


def resume_run(run_id: UUID, max_cost: Decimal | None = None) -> None:
    """Let workers take a paused run up again; a new `max_cost` replaces the old. WrongState for any other state."""
    with transaction.atomic():
        paused = ReprocessRun.objects.select_for_update().filter(pk=run_id, state=ReprocessRun.State.PAUSED)
        if not paused.exists():
            raise WrongState("Only a paused run can be resumed.")
        if max_cost is not None:
            paused.update(max_cost=max_cost)
        if paused.get().limit_reached:
            raise WrongState("The run has reached its cost limit; resume it with a higher one.")
        paused.update(state=ReprocessRun.State.QUEUED, error="")
        wake(run_id)
