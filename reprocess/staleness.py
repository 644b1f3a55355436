"""Find stale scenes in the database: those whose vector in the latest space is not there, or not of today's input."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from uuid import UUID

from django.db.models import Avg, Count, Exists, F, FilteredRelation, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Length

from reprocess.plan import ChannelCounts, OwnerCounts
from reprocess.steps.base import SceneStep
from videos.models import EmbeddingSpace, Scene, SceneEmbedding


def stale_scenes(
    video_ids: Collection[UUID], channel: str, space: EmbeddingSpace, *, run_id: UUID | None, force: bool
) -> dict[UUID, frozenset[UUID]]:
    """Return the stale scenes of some videos by video.

    What this very run has tried counts as fresh, even when it failed or is forced: so a run resumes after a crash where it stopped.
    """
    of_today = SceneEmbedding.objects.filter(scene=OuterRef("pk"), space=space, input_hash=OuterRef(f"{channel}_hash"))
    tried = Q(run_id=run_id) if run_id else Q(pk__in=[])
    fresh = of_today.filter(tried if force else tried | ~Q(state=SceneEmbedding.State.FAILED))
    stale: dict[UUID, set[UUID]] = {}
    for video_id, scene_id in Scene.objects.filter(~Exists(fresh), video_id__in=video_ids).values_list("video_id", "pk"):
        stale.setdefault(video_id, set()).add(scene_id)
    return {video_id: frozenset(scenes) for video_id, scenes in stale.items()}


@dataclass(frozen=True)
class Target:
    """One channel that a scope is to be brought to; a `space` of None says that it does not exist yet, so every scene lacks its vector."""

    step: SceneStep
    channel: str
    space: EmbeddingSpace | None
    batch_size: int


@dataclass(frozen=True)
class _Held:
    """How many of a scope's scenes have a row in a space, and what is wrong with how many."""

    rows: int = 0
    failed: int = 0
    changed: int = 0


def count_channels(scenes: QuerySet[Scene], targets: Sequence[Target], *, force: bool) -> list[ChannelCounts]:
    """Count a scope's scenes by channel and cause of staleness: in two queries, and up to two more for each that is stale."""
    number = scenes.count()
    held = {space_id: _Held(*counts) for space_id, *counts in _held(scenes, targets, "held__space")}
    return [_count(scenes, number, target, held.get(target.space.pk, _Held()) if target.space else _Held(), force) for target in targets]


def count_owners(scenes: QuerySet[Scene], targets: Sequence[Target], *, force: bool) -> list[OwnerCounts]:
    """Count a scope's scenes by owner, and the vectors to compute for them, in two queries; memory grows with the number of owners."""
    fresh: dict[UUID, int] = {}
    if not force:
        fresh = {owner_id: rows - failed - changed for owner_id, rows, failed, changed in _held(scenes, targets, "owner")}
    numbers = scenes.order_by().values_list("owner").annotate(Count("pk"))
    return [OwnerCounts(owner_id, number, max(number * len(targets) - fresh.get(owner_id, 0), 0)) for owner_id, number in numbers]


def _held(scenes: QuerySet[Scene], targets: Sequence[Target], by: str) -> Iterable[tuple[UUID, int, int, int]]:
    """Return how many rows there are, by space or by owner, how many of them failed, and how many are of another input than today's.

    All the spaces' rows are read at once, for they lie mixed in one table, and with them the scenes, which are joined once.
    """
    spaces = {target.channel: target.space for target in targets if target.space}
    if not spaces:
        return ()
    failed = Q(held__state=SceneEmbedding.State.FAILED)
    other_input = reduce(or_, (Q(held__space=space) & ~Q(held__input_hash=F(f"{channel}_hash")) for channel, space in spaces.items()))
    return (
        scenes.annotate(held=FilteredRelation("embeddings", condition=Q(embeddings__space__in=spaces.values())))
        .filter(held__isnull=False)
        .order_by()
        .values_list(by)
        .annotate(rows=Count("held"), failed=Count("held", filter=failed), changed=Count("held", filter=other_input & ~failed))
    )


def _count(scenes: QuerySet[Scene], number: int, target: Target, held: _Held, force: bool) -> ChannelCounts:
    # Scenes may be deleted between two queries.
    absent = max(number - held.rows + held.failed, 0)
    due = number if force else absent + held.changed
    step_changed = _of_other_spaces(scenes, target) if absent else 0
    inputs, characters = _inputs(scenes, target, force) if due else (0, 0.0)
    return ChannelCounts(
        step=target.step.name,
        channel=target.channel,
        scenes=number,
        missing=max(absent - step_changed, 0),
        input_changed=held.changed,
        step_changed=step_changed,
        inputs=inputs,
        characters=characters,
        batch_size=target.batch_size,
    )


def _of_other_spaces(scenes: QuerySet[Scene], target: Target) -> int:
    """Count the scenes without a row in the space that have one of the same channel in another."""
    of_channel = SceneEmbedding.objects.filter(scene=OuterRef("pk"), space__channel=target.channel)
    return scenes.filter(~Exists(of_channel.filter(space=target.space)), Exists(of_channel.exclude(space=target.space))).count()


def _inputs(scenes: QuerySet[Scene], target: Target, force: bool) -> tuple[int, float]:
    """Return how many different inputs the stale scenes have, without those that have nothing to embed, and their mean length."""
    hash_now, fields = f"{target.channel}_hash", target.step.texts.get(target.channel, ())
    due = scenes.exclude(**{hash_now: ""})
    if not force:
        current = SceneEmbedding.objects.filter(scene=OuterRef("pk"), space=target.space, input_hash=OuterRef(hash_now))
        due = due.filter(~Exists(current.exclude(state=SceneEmbedding.State.FAILED)))
    length = sum((Length(field) for field in fields), Value(0))
    counts = due.aggregate(inputs=Count(hash_now, distinct=True), characters=Avg(length, default=0.0))
    return counts["inputs"], counts["characters"]
