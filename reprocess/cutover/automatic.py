"""The switch that nobody has to ask for: at the end of a run, owner by owner."""

from collections.abc import Iterable
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from heimdex.accounts.locks import lock_owner
from reprocess.cutover.coverage import lacks
from reprocess.cutover.rehearsal import rehearse
from reprocess.cutover.switch import Change, activate, change_to, covered, full_report, keys, record, switch, too_different
from reprocess.models import Cutover, ReprocessRun
from reprocess.spec import EffectiveSpec

log = structlog.get_logger(__name__)


def activate_complete(owner_ids: Iterable[UUID], spec: EffectiveSpec, run: ReprocessRun) -> None:
    """Switch each owner for whom the spec's spaces are complete, unless the run leaves that to a person; others keep the old spaces."""
    for owner_id in owner_ids:
        activate_first(owner_id, spec)
        if run.automatic_cutover:
            _switch_if_ready(change_to(owner_id, spec), run)


def activate_first(owner_id: UUID, spec: EffectiveSpec) -> None:
    """Let an owner whose search reads no space yet read the spec's: there is nothing that could be mixed or lost."""
    if change_to(owner_id, spec).before:
        return
    with transaction.atomic():
        lock_owner(owner_id)
        change = change_to(owner_id, spec)
        if not change.before:
            activate(change)


def _switch_if_ready(change: Change, run: ReprocessRun) -> None:
    if not change.coming or _declined(change, run):
        return
    channels = covered(change)
    if lacks(channels, settings.CUTOVER_MAX_FAILED):
        return
    report = full_report(rehearse(change.owner_id, list(change.before.values()), list(change.after.values())), channels)
    if reason := too_different(report):
        record(change, Cutover.State.REFUSED, report, run, reason)
        log.warning("Search was not switched", owner_id=str(change.owner_id), reason=reason)
        return
    switch(change, report, run)


def _declined(change: Change, run: ReprocessRun) -> bool:
    """Say whether this run was refused the same switch already, or a person has undone it and not asked for it since."""
    of_owner = Cutover.objects.filter(owner_id=change.owner_id)
    if of_owner.filter(run=run, state=Cutover.State.REFUSED, after=keys(change.after)).exists():
        return True
    last = of_owner.exclude(state=Cutover.State.REFUSED).first()
    return last is not None and last.state == Cutover.State.ROLLED_BACK and last.before == keys(change.after)
