"""Switch an owner's search back to the spaces it read before a cutover, without computing anything."""

from dataclasses import dataclass
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from heimdex.accounts.locks import lock_owner
from heimdex.accounts.models import User
from heimdex.queue import enqueue
from reprocess.actions.plan_run import plan_run
from reprocess.actions.start_run import start_run
from reprocess.cutover.switch import Change, activate, keys, record
from reprocess.models import Cutover, ReprocessRun
from reprocess.older_spec import older_active_spec
from reprocess.scope import Scope
from videos.models import EmbeddingSpace, RetiredSpace
from videos.search.vectors import active_spaces

log = structlog.get_logger(__name__)

NOT_MADE = "This cutover was not made ({state}), so there is nothing to roll back."
DONE = "This cutover was rolled back already."
LATER = "The search of this owner has changed again since this cutover. Roll back the later one first."
PURGED = "The {channel} vectors that were read before have been purged. Reprocess with the earlier models instead."
NOTHING = "No cutover of this owner can be rolled back."


class CannotRollBack(Exception):
    """The cutover cannot be undone; the message says why."""


@dataclass(frozen=True)
class RolledBack:
    """What was undone, the run that brings what arrived since to the older spaces (if any did), and the channels it cannot bring there."""

    cutover: Cutover
    catch_up: ReprocessRun | None
    left_out: tuple[str, ...]


def latest_cutover(owner_id: UUID) -> Cutover:
    """Return the cutover of an owner that a rollback would undo; CannotRollBack when there is none."""
    made = Cutover.objects.filter(owner_id=owner_id, state=Cutover.State.SWITCHED, rolled_back_at__isnull=True).first()
    if made is None:
        raise CannotRollBack(NOTHING)
    return made


def roll_back(cutover_id: UUID, requested_by: User | None) -> RolledBack:
    """Switch back at once, in one transaction; then queue what arrived since. CannotRollBack; Cutover.DoesNotExist."""
    with transaction.atomic():
        owner_id = Cutover.objects.get(pk=cutover_id).owner_id
        lock_owner(owner_id)
        made = Cutover.objects.get(pk=cutover_id)
        change = _change(made)
        activate(change)
        made.rolled_back_at = timezone.now()
        made.save(update_fields=["rolled_back_at"])
        undone = record(change, Cutover.State.ROLLED_BACK, made.report, made.run)
        enqueue("reprocess.tasks.index_spaces")
    log.info("Search switched back", owner_id=str(owner_id), channels=[space.channel for space in change.coming])
    return _catch_up(undone, requested_by)


def _change(made: Cutover) -> Change:
    """Return what undoing means; CannotRollBack when it is not possible any more."""
    if made.state != Cutover.State.SWITCHED:
        raise CannotRollBack(NOT_MADE.format(state=made.state))
    if made.rolled_back_at:
        raise CannotRollBack(DONE)
    now = {space.channel: space for space in active_spaces(made.owner_id)}
    if keys(now) != made.after:
        raise CannotRollBack(LATER)
    earlier = {str(space.pk): space for space in EmbeddingSpace.objects.filter(pk__in=made.before.values())}
    retired = RetiredSpace.objects.filter(owner_id=made.owner_id, purge_began_at__isnull=True)
    kept = {str(key) for key in retired.values_list("space_id", flat=True)} | set(made.after.values())
    for channel, key in made.before.items():
        if key not in earlier or key not in kept:
            raise CannotRollBack(PURGED.format(channel=channel))
    return Change(made.owner_id, now, {channel: earlier[key] for channel, key in made.before.items()})


def _catch_up(undone: Cutover, requested_by: User | None) -> RolledBack:
    older = older_active_spec(undone.owner_id)
    if older.spec is None:
        return RolledBack(undone, None, older.left_out)
    scope = Scope("owner", owner_id=undone.owner_id)
    if not plan_run(scope, force=False, spec=older.spec).stale:
        return RolledBack(undone, None, older.left_out)
    run = start_run(
        scope,
        force=False,
        entrance=ReprocessRun.Entrance.ROLLBACK,
        requested_by=requested_by,
        automatic_cutover=False,
        spec=older.spec,
    )
    return RolledBack(undone, run, older.left_out)
