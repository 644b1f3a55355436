"""Cut owners over automatically at the end of a run."""

from collections.abc import Iterable
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from heimdex.accounts.owner import lock_owner
from reprocess.cutover.coverage import describe_gaps
from reprocess.cutover.evaluation import evaluate_change
from reprocess.cutover.switch import (
    SpaceChange,
    activate_spaces,
    collect_space_ids,
    measure_pending,
    plan_cutover,
    record_cutover,
    switch_spaces,
)
from reprocess.models import Cutover, ReprocessRun
from reprocess.spec import EffectiveSpec

log = structlog.get_logger(__name__)


def activate_complete(owner_ids: Iterable[UUID], spec: EffectiveSpec, run: ReprocessRun) -> None:
    """Switch each owner whose spaces are complete. Skip this when the run leaves the cutover to an operator."""
    for owner_id in owner_ids:
        activate_first(owner_id, spec)
        if run.automatic_cutover:
            _switch_if_complete(plan_cutover(owner_id, spec), run)


def activate_first(owner_id: UUID, spec: EffectiveSpec) -> None:
    """Activate the spec's spaces for an owner without active spaces. There are no earlier results to compare."""
    if plan_cutover(owner_id, spec).before:
        return
    with transaction.atomic():
        lock_owner(owner_id)
        change = plan_cutover(owner_id, spec)
        if not change.before:
            activate_spaces(change)


def _switch_if_complete(change: SpaceChange, run: ReprocessRun) -> None:
    if not change.pending or _was_refused(change, run):
        return
    coverage = measure_pending(change)
    if describe_gaps(coverage, settings.CUTOVER_MAX_FAILED):
        return
    evaluated = evaluate_change(change, coverage)
    if evaluated.refusal:
        record_cutover(change, Cutover.State.REFUSED, evaluated.report, run, evaluated.refusal)
        log.warning("Search was not switched", owner_id=str(change.owner_id), reason=evaluated.refusal)
        return
    switch_spaces(change, evaluated.report, run)


def _was_refused(change: SpaceChange, run: ReprocessRun) -> bool:
    """Return whether this cutover was refused in this run already, or was made and rolled back last."""
    cutovers = Cutover.objects.filter(owner_id=change.owner_id)
    if cutovers.filter(run=run, state=Cutover.State.REFUSED, after=collect_space_ids(change.after)).exists():
        return True
    last = cutovers.exclude(state=Cutover.State.REFUSED).first()
    return last is not None and last.state == Cutover.State.ROLLED_BACK and last.before == collect_space_ids(change.after)
