"""Cut an owner's search over to the latest spaces, roll a cutover back, and purge retired spaces."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from heimdex.accounts.models import User
from heimdex.accounts.owner import lock_owner
from heimdex.errors import WrongState
from heimdex.queue import enqueue
from reprocess.cutover.coverage import describe_gaps
from reprocess.cutover.evaluation import EvaluatedChange, evaluate_change
from reprocess.cutover.purge import PurgedSpace, preview_purge, purge_space, select_purgeable_spaces
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
from reprocess.planning.scope import Scope
from reprocess.runs.requests import plan_run, start_run
from reprocess.spec import get_effective_spec
from reprocess.spec.historical import build_historical_spec
from videos.evaluation.references import ResolvedQuery
from videos.models import EmbeddingSpace, RetiredSpace
from videos.search.vectors import list_active_spaces

log = structlog.get_logger(__name__)

UP_TO_DATE = "This owner's search already reads the latest spaces."
INCOMPLETE = "The latest spaces are incomplete ({gaps}). Run reprocess_embeddings --scope owner --owner-id {owner} first."
CHANGED = "The owner's spaces changed during the comparison. Try again."
NOT_MADE = "This cutover was not made ({state}), so it cannot be rolled back."
ROLLED_BACK = "This cutover was already rolled back."
NOT_LATEST = "This owner's search has changed again since this cutover. Roll back the later cutover first."
PURGED = "The earlier {channel} vectors have been purged. Reprocess with the earlier models instead."
NO_CUTOVER = "This owner has no cutover that can be rolled back."


class CutoverRefused(WrongState):
    """The cutover was not made. The message names the reason and the fix. `cutover` is the recorded refusal, if there is one."""

    def __init__(self, text: str, cutover: Cutover | None = None) -> None:
        super().__init__(text)
        self.cutover = cutover


class CutoverNotNeeded(CutoverRefused):
    """Search already reads the latest spaces, so that there is nothing to switch."""


class RollbackRefused(WrongState):
    """The cutover cannot be rolled back. The message names the reason."""


@dataclass(frozen=True)
class PreparedCutover:
    """A cutover that can be made, and its evaluation."""

    change: SpaceChange
    evaluated: EvaluatedChange


@dataclass(frozen=True)
class Rollback:
    """A rollback, the run that adds newer videos to the earlier spaces (if needed), and a sentence per channel that cannot be filled."""

    cutover: Cutover
    catch_up: ReprocessRun | None
    left_out: tuple[str, ...]

    @property
    def catch_up_run_id(self) -> UUID | None:
        """The id of the run. None when no run is needed."""
        return self.catch_up.pk if self.catch_up else None


def prepare_cutover(owner_id: UUID, judged: Sequence[ResolvedQuery] = ()) -> PreparedCutover:
    """Evaluate the cutover to the latest spaces with the owner's recorded queries, and with judged ones (default: the owner's saved ones).

    Raise CutoverNotNeeded when the spaces are active, and CutoverRefused when they are incomplete.
    """
    change = plan_cutover(owner_id, get_effective_spec())
    if not change.pending:
        raise CutoverNotNeeded(UP_TO_DATE)
    coverage = measure_pending(change)
    if gaps := describe_gaps(coverage, settings.CUTOVER_MAX_FAILED):
        raise CutoverRefused(INCOMPLETE.format(gaps="; ".join(gaps), owner=owner_id))
    return PreparedCutover(change, evaluate_change(change, coverage, judged))


def cut_over(owner_id: UUID, *, force: bool, judged: Sequence[ResolvedQuery] = ()) -> Cutover:
    """Switch an owner's search to the latest spaces, if judged queries do not find much less and the results overlap enough.

    `force` switches in any case, but never with missing scenes. Raise CutoverRefused when the cutover is not made.
    """
    prepared = prepare_cutover(owner_id, judged)
    report, refusal = prepared.evaluated.report, prepared.evaluated.refusal
    if refusal and not force:
        raise CutoverRefused(refusal, record_cutover(prepared.change, Cutover.State.REFUSED, report, None, refusal))
    cutover = switch_spaces(prepared.change, report, None)
    if cutover is None:
        raise CutoverRefused(CHANGED)
    return cutover


def get_latest_cutover(owner_id: UUID) -> Cutover:
    """Return the cutover that a rollback of an owner undoes. Raise RollbackRefused when there is none."""
    cutover = Cutover.objects.filter(owner_id=owner_id, state=Cutover.State.SWITCHED, rolled_back_at__isnull=True).first()
    if cutover is None:
        raise RollbackRefused(NO_CUTOVER)
    return cutover


def roll_back(cutover_id: UUID, requested_by: User | None) -> Rollback:
    """Switch an owner's search back in one transaction, then queue a run over what was added since the cutover.

    Raise RollbackRefused when a rollback is not possible, and Cutover.DoesNotExist for an unknown id.
    """
    with transaction.atomic():
        owner_id = Cutover.objects.get(pk=cutover_id).owner_id
        lock_owner(owner_id)
        cutover = Cutover.objects.get(pk=cutover_id)
        change = _plan_rollback(cutover)
        activate_spaces(change)
        cutover.rolled_back_at = timezone.now()
        cutover.save(update_fields=["rolled_back_at"])
        rollback = record_cutover(change, Cutover.State.ROLLED_BACK, cutover.report, cutover.run)
        enqueue("reprocess.tasks.pack_vectors")
    log.info("Search switched back", owner_id=str(owner_id), channels=[space.channel for space in change.pending])
    return _catch_up(rollback, requested_by)


def purge_spaces(older_than: timedelta, *, dry_run: bool) -> list[PurgedSpace]:
    """Delete the vectors of spaces that were retired longer than `older_than` ago. With `dry_run`, only return what would be deleted.

    The latest spaces are kept, even after a rollback, because the next cutover needs them. Interrupted purges continue. Call it outside
    transactions.
    """
    due = select_purgeable_spaces(timezone.now() - older_than)
    return [purged for retired in due if (purged := preview_purge(retired) if dry_run else purge_space(retired))]


def _plan_rollback(cutover: Cutover) -> SpaceChange:
    """Return the change that undoes a cutover. Raise RollbackRefused when it is no longer possible."""
    if cutover.state != Cutover.State.SWITCHED:
        raise RollbackRefused(NOT_MADE.format(state=cutover.state))
    if cutover.rolled_back_at:
        raise RollbackRefused(ROLLED_BACK)
    current = {space.channel: space for space in list_active_spaces(cutover.owner_id)}
    if collect_space_ids(current) != cutover.after:
        raise RollbackRefused(NOT_LATEST)
    earlier = {str(space.pk): space for space in EmbeddingSpace.objects.filter(pk__in=cutover.before.values())}
    retired = RetiredSpace.objects.filter(owner_id=cutover.owner_id, purge_began_at__isnull=True)
    kept = {str(key) for key in retired.values_list("space_id", flat=True)} | set(cutover.after.values())
    for channel, key in cutover.before.items():
        if key not in earlier or key not in kept:
            raise RollbackRefused(PURGED.format(channel=channel))
    return SpaceChange(cutover.owner_id, current, {channel: earlier[key] for channel, key in cutover.before.items()})


def _catch_up(rollback: Cutover, requested_by: User | None) -> Rollback:
    earlier = build_historical_spec(rollback.owner_id)
    if earlier.spec is None:
        return Rollback(rollback, None, earlier.unavailable)
    scope = Scope("owner", owner_id=rollback.owner_id)
    if not plan_run(scope, force=False, spec=earlier.spec).stale:
        return Rollback(rollback, None, earlier.unavailable)
    run = start_run(
        scope,
        force=False,
        entry_point=ReprocessRun.EntryPoint.ROLLBACK,
        requested_by=requested_by,
        automatic_cutover=False,
        spec=earlier.spec,
    )
    return Rollback(rollback, run, earlier.unavailable)
