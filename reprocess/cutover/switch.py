"""What a switch would change for an owner, and the switch itself: all channels in one transaction."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from heimdex.accounts.locks import lock_owner
from heimdex.queue import enqueue
from reprocess.cutover.coverage import Coverage, coverage, lacks
from reprocess.models import Cutover, ReprocessRun
from reprocess.spec import EffectiveSpec
from videos.models import ActiveSpace, EmbeddingSpace, RetiredSpace
from videos.search.vectors import active_spaces

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Change:
    """An owner's spaces by channel, as they are and as they would be."""

    owner_id: UUID
    before: Mapping[str, EmbeddingSpace]
    after: Mapping[str, EmbeddingSpace]

    @property
    def coming(self) -> list[EmbeddingSpace]:
        """The spaces that are not read yet and would be."""
        return [space for channel, space in self.after.items() if self.before.get(channel) != space]


def change_to(owner_id: UUID, spec: EffectiveSpec) -> Change:
    """Return what it means for an owner to move to a spec; a channel that the spec does not fill stays as it is."""
    before = {space.channel: space for space in active_spaces(owner_id)}
    latest = {channel: configured.space(channel) for configured, channel in spec.channels()}
    return Change(owner_id, before, {**before, **latest})


def switch(change: Change, report: dict[str, Any], run: ReprocessRun | None) -> Cutover | None:
    """Make the change; None when the owner's spaces or their coverage are no longer what was looked at."""
    with transaction.atomic():
        lock_owner(change.owner_id)
        now = {space.channel: space for space in active_spaces(change.owner_id)}
        if now != change.before or lacks(coverage(change.owner_id, change.coming), settings.CUTOVER_MAX_FAILED):
            return None
        activate(change)
        cutover = record(change, Cutover.State.SWITCHED, report, run)
        enqueue("reprocess.tasks.index_spaces")
    log.info("Search switched to new spaces", owner_id=str(change.owner_id), channels=[space.channel for space in change.coming])
    return cutover


def activate(change: Change) -> None:
    """Make `after` what the owner's search reads and retire what it read before. Call it within a transaction that locks the owner."""
    now = timezone.now()
    kept = [space.pk for space in change.after.values()]
    left = [space for space in change.before.values() if space.pk not in kept]
    ActiveSpace.objects.filter(owner_id=change.owner_id).exclude(space__in=kept).delete()
    ActiveSpace.objects.bulk_create(
        ActiveSpace(owner_id=change.owner_id, channel=space.channel, space=space, activated_at=now) for space in change.coming
    )
    RetiredSpace.objects.filter(owner_id=change.owner_id, space__in=kept).delete()
    RetiredSpace.objects.bulk_create(
        [RetiredSpace(owner_id=change.owner_id, space=space, retired_at=now) for space in left],
        update_conflicts=True,
        unique_fields=["owner", "space"],
        update_fields=["retired_at"],
    )


def record(change: Change, state: str, report: dict[str, Any], run: ReprocessRun | None, reason: str = "") -> Cutover:
    """Write down what was done, or why it was not."""
    return Cutover.objects.create(
        owner_id=change.owner_id,
        run=run,
        state=state,
        before=keys(change.before),
        after=keys(change.after),
        report=report,
        reason=reason,
    )


def keys(spaces: Mapping[str, EmbeddingSpace]) -> dict[str, str]:
    """Return the spaces' keys by channel, as a cutover's row holds them."""
    return {channel: str(space.pk) for channel, space in spaces.items()}


def covered(change: Change) -> list[Coverage]:
    """Return how much the coming spaces hold."""
    return coverage(change.owner_id, change.coming)


def full_report(comparison: dict[str, Any], channels: Iterable[Coverage]) -> dict[str, Any]:
    """Return what stands on the cutover's row."""
    return {**comparison, "coverage": [channel.as_data() for channel in channels]}


def too_different(report: dict[str, Any]) -> str:
    """Return why the report forbids the switch, or nothing; without recorded queries nothing forbids it."""
    overlap, least = report["overlap_at_10"], settings.CUTOVER_MIN_OVERLAP
    if overlap is None or overlap >= least:
        return ""
    return (
        f"The answers to {report['queries']} recorded queries share {overlap:.0%} of their first ten scenes, less than the "
        f"{least:.0%} that HEIMDEX_CUTOVER_MIN_OVERLAP asks for. Look at the report; `manage.py cutover --force` switches nevertheless."
    )
