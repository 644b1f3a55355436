"""Switch an owner's search to other spaces, all channels in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from heimdex.accounts.owner import lock_owner
from heimdex.queue import enqueue
from reprocess.cutover.coverage import Coverage, describe_gaps, measure_coverage
from reprocess.models import Cutover, ReprocessRun
from reprocess.planning.targets import SCENES, get_target_type
from reprocess.spec import EffectiveSpec
from videos.models import ActiveSpace, EmbeddingSpace, RetiredSpace
from videos.search.vectors import list_active_spaces

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class SpaceChange:
    """An owner's active spaces by channel, before and after a cutover."""

    owner_id: UUID
    before: Mapping[str, EmbeddingSpace]
    after: Mapping[str, EmbeddingSpace]

    @property
    def pending(self) -> list[EmbeddingSpace]:
        """The spaces that the cutover would activate."""
        return [space for channel, space in self.after.items() if self.before.get(channel) != space]


def list_pending_scene_spaces(owner_id: UUID, spec: EffectiveSpec) -> list[EmbeddingSpace]:
    """Return the spaces of scenes that the spec fills and that the owner's search does not read."""
    return [space for space in plan_cutover(owner_id, spec).pending if get_target_type(space.channel) is SCENES]


def plan_cutover(owner_id: UUID, spec: EffectiveSpec) -> SpaceChange:
    """Return the change that moves an owner to the spaces of a spec. Channels that the spec does not fill keep their space."""
    before = {space.channel: space for space in list_active_spaces(owner_id)}
    latest = {channel: configured.ensure_space(channel) for configured, channel in spec.list_channels()}
    return SpaceChange(owner_id, before, {**before, **latest})


def switch_spaces(change: SpaceChange, report: dict[str, Any], run: ReprocessRun | None) -> Cutover | None:
    """Make the change. Return None when the owner's active spaces or their coverage have changed since the change was planned."""
    with transaction.atomic():
        lock_owner(change.owner_id)
        current = {space.channel: space for space in list_active_spaces(change.owner_id)}
        if current != change.before or describe_gaps(measure_pending(change), settings.CUTOVER_MAX_FAILED):
            return None
        activate_spaces(change)
        cutover = record_cutover(change, Cutover.State.SWITCHED, report, run)
        enqueue("reprocess.tasks.pack_vectors")
    log.info("Search switched to new spaces", owner_id=str(change.owner_id), channels=[space.channel for space in change.pending])
    return cutover


def activate_spaces(change: SpaceChange) -> None:
    """Activate the spaces of `after` and retire the others. Call it within a transaction that locks the owner."""
    now = timezone.now()
    active = [space.pk for space in change.after.values()]
    retired = [space for space in change.before.values() if space.pk not in active]
    ActiveSpace.objects.filter(owner_id=change.owner_id).exclude(space__in=active).delete()
    ActiveSpace.objects.bulk_create(
        ActiveSpace(owner_id=change.owner_id, channel=space.channel, space=space, activated_at=now) for space in change.pending
    )
    RetiredSpace.objects.filter(owner_id=change.owner_id, space__in=active).delete()
    RetiredSpace.objects.bulk_create(
        [RetiredSpace(owner_id=change.owner_id, space=space, retired_at=now) for space in retired],
        update_conflicts=True,
        unique_fields=["owner", "space"],
        update_fields=["retired_at"],
    )


def record_cutover(change: SpaceChange, state: str, report: dict[str, Any], run: ReprocessRun | None, reason: str = "") -> Cutover:
    """Record a cutover, or why it was refused."""
    return Cutover.objects.create(
        owner_id=change.owner_id,
        run=run,
        state=state,
        before=collect_space_ids(change.before),
        after=collect_space_ids(change.after),
        report=report,
        reason=reason,
    )


def collect_space_ids(spaces: Mapping[str, EmbeddingSpace]) -> dict[str, str]:
    """Return the ids of spaces by channel, as a cutover's row stores them."""
    return {channel: str(space.pk) for channel, space in spaces.items()}


def measure_pending(change: SpaceChange) -> list[Coverage]:
    """Measure the coverage of the spaces that the cutover would activate."""
    return measure_coverage(change.owner_id, change.pending)
