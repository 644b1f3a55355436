"""Find stale subjects in the database: those whose vector in the latest space is not there, or not of today's input."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import groupby
from operator import or_
from typing import Any
from uuid import UUID

from django.db.models import Avg, Count, Exists, F, FilteredRelation, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Length

from people.models import PersonPhoto
from reprocess.plan import ChannelCounts, OwnerCounts
from reprocess.scope import Scope
from reprocess.steps.base import Step
from reprocess.subjects import PHOTOS, SCENES, Kind, photos_with_picture
from videos.models import EmbeddingRow, EmbeddingSpace, Scene


def stale_scenes(
    video_ids: Collection[UUID], channel: str, space: EmbeddingSpace, *, run_id: UUID | None, force: bool
) -> dict[UUID, frozenset[UUID]]:
    """Return the stale scenes of some videos by video.

    What this very run has tried counts as fresh, even when it failed or is forced: so a run resumes after a crash where it stopped.
    """
    found = Scene.objects.filter(~_fresh(SCENES, channel, space, run_id, force), video_id__in=video_ids).values_list("video_id", "pk")
    stale: dict[UUID, set[UUID]] = {}
    for video_id, scene_id in found:
        stale.setdefault(video_id, set()).add(scene_id)
    return {video_id: frozenset(scenes) for video_id, scenes in stale.items()}


def stale_people(
    kind: Kind, owner_id: UUID, channel: str, space: EmbeddingSpace, *, photos: Collection[UUID], run_id: UUID | None, force: bool
) -> QuerySet[Any]:
    """Return an owner's stale photos, or people.

    Of photos that are still being looked at only those of `photos`, which the caller has taken in: any other may be half taken in, and its
    own worker, or the next one if that died, ends it.
    """
    subjects = kind.searchable()
    if kind is PHOTOS:
        subjects = photos_with_picture().filter(~Q(state=PersonPhoto.State.PROCESSING) | Q(pk__in=photos))
    return subjects.filter(~_fresh(kind, channel, space, run_id, force), owner=owner_id)


def _fresh(kind: Kind, channel: str, space: EmbeddingSpace, run_id: UUID | None, force: bool) -> Exists:
    of_today = kind.rows_of(**{kind.name: OuterRef("pk")}, space=space, input_hash=OuterRef(f"{channel}_hash"))
    tried = Q(run_id=run_id) if run_id else Q(pk__in=[])
    return Exists(of_today.filter(tried if force else tried | ~Q(state=EmbeddingRow.State.FAILED)))


@dataclass(frozen=True)
class Target:
    """One channel that a scope is to be brought to; a `space` of None says that it does not exist yet, so every vector is missing."""

    step: Step
    channel: str
    space: EmbeddingSpace | None
    batch_size: int


@dataclass(frozen=True)
class _Held:
    """How many of a scope's subjects have a row in a space, and what is wrong with how many."""

    rows: int = 0
    failed: int = 0
    changed: int = 0


def count_channels(scope: Scope, targets: Sequence[Target], *, force: bool) -> list[ChannelCounts]:
    """Count a scope's subjects by channel and cause of staleness: in two queries a kind, and up to two more for each stale channel."""
    counted: list[ChannelCounts] = []
    for kind, of_kind in _by_kind(targets):
        subjects = scope.subjects(kind)
        number = subjects.count()
        held = {space_id: _Held(*counts) for space_id, *counts in _held(kind, subjects, of_kind, "held__space")}
        for target in of_kind:
            in_space = held.get(target.space.pk, _Held()) if target.space else _Held()
            counted.append(_count(kind, subjects, number, target, in_space, force))
    return counted


def count_owners(scope: Scope, targets: Sequence[Target], *, force: bool) -> list[OwnerCounts]:
    """Count a scope's scenes by owner, and all the vectors to compute, in two queries a kind; memory grows with the number of owners."""
    scenes: Counter[UUID] = Counter()
    stale: Counter[UUID] = Counter()
    for kind, of_kind in _by_kind(targets):
        subjects = scope.subjects(kind)
        fresh: dict[UUID, int] = {}
        if not force:
            fresh = {owner_id: rows - failed - changed for owner_id, rows, failed, changed in _held(kind, subjects, of_kind, "owner")}
        for owner_id, number in subjects.order_by().values_list("owner").annotate(Count("pk")):
            scenes[owner_id] += number if kind is SCENES else 0
            stale[owner_id] += max(number * len(of_kind) - fresh.get(owner_id, 0), 0)
    return [OwnerCounts(owner_id, scenes[owner_id], number) for owner_id, number in stale.items()]


def _by_kind(targets: Sequence[Target]) -> list[tuple[Kind, list[Target]]]:
    """Return the targets by kind of subject; in order, as the spec has the steps of one kind side by side."""
    return [(kind, list(of_kind)) for kind, of_kind in groupby(targets, key=lambda target: target.step.kind)]


def _held(kind: Kind, subjects: QuerySet[Any], targets: Sequence[Target], by: str) -> Iterable[tuple[UUID, int, int, int]]:
    """Return how many rows there are, by space or by owner, how many of them failed, and how many are of another input than today's.

    All the spaces' rows are read at once, for they lie mixed in one table, and with them the subjects, which are joined once.
    """
    spaces = {target.channel: target.space for target in targets if target.space}
    if not spaces:
        return ()
    failed = Q(held__state=EmbeddingRow.State.FAILED)
    other_input = reduce(or_, (Q(held__space=space) & ~Q(held__input_hash=F(f"{channel}_hash")) for channel, space in spaces.items()))
    counted: Iterable[tuple[UUID, int, int, int]] = (
        subjects.annotate(held=FilteredRelation("embeddings", condition=Q(embeddings__space__in=spaces.values())))
        .filter(held__isnull=False)
        .order_by()
        .values_list(by)
        .annotate(rows=Count("held"), failed=Count("held", filter=failed), changed=Count("held", filter=other_input & ~failed))
    )
    return counted


def _count(kind: Kind, subjects: QuerySet[Any], number: int, target: Target, held: _Held, force: bool) -> ChannelCounts:
    # Subjects may be deleted between two queries.
    absent = max(number - held.rows + held.failed, 0)
    due = number if force else absent + held.changed
    step_changed = _of_other_spaces(kind, subjects, target) if absent else 0
    inputs, characters = _inputs(kind, subjects, target, force) if due else (0, 0.0)
    return ChannelCounts(
        step=target.step.name,
        channel=target.channel,
        kind=kind.plural,
        subjects=number,
        missing=max(absent - step_changed, 0),
        input_changed=held.changed,
        step_changed=step_changed,
        inputs=inputs,
        characters=characters,
        batch_size=target.batch_size,
    )


def _of_other_spaces(kind: Kind, subjects: QuerySet[Any], target: Target) -> int:
    """Count the subjects without a row in the space that have one of the same channel in another."""
    of_channel = kind.rows_of(**{kind.name: OuterRef("pk")}, space__channel=target.channel)
    return subjects.filter(~Exists(of_channel.filter(space=target.space)), Exists(of_channel.exclude(space=target.space))).count()


def _inputs(kind: Kind, subjects: QuerySet[Any], target: Target, force: bool) -> tuple[int, float]:
    """Return how many different inputs the stale subjects have, without those that have nothing to embed, and their mean length."""
    hash_now, fields = f"{target.channel}_hash", target.step.texts.get(target.channel, ())
    due = subjects.exclude(**{hash_now: ""})
    if not force:
        current = kind.rows_of(**{kind.name: OuterRef("pk")}, space=target.space, input_hash=OuterRef(hash_now))
        due = due.filter(~Exists(current.exclude(state=EmbeddingRow.State.FAILED)))
    length = sum((Length(field) for field in fields), Value(0))
    counts = due.aggregate(inputs=Count(hash_now, distinct=True), characters=Avg(length, default=0.0))
    return counts["inputs"], counts["characters"]
