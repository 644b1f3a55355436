"""Find and count stale targets. A target is stale when its space has no vector of its current input."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.db.models import Avg, Count, Exists, F, OuterRef, Q, QuerySet, TextField, Value
from django.db.models.functions import Concat, Length

from people.models import PersonPhoto
from reprocess.planning.plan import ChannelCounts, OwnerCounts
from reprocess.planning.scope import Scope
from reprocess.planning.targets import PHOTOS, SCENES, TargetType, select_analyzable_photos
from videos.channels import Source
from videos.models import EmbeddingRow, EmbeddingSpace, Scene


def find_stale_scenes(
    video_ids: Collection[UUID], channel: str, space: EmbeddingSpace, *, run_id: UUID | None, force: bool
) -> dict[UUID, frozenset[UUID]]:
    """Return the ids of stale scenes by video id.

    A scene that this run has already tried counts as fresh, even if it failed or the run is forced. So a run resumes after a crash.
    """
    rows = Scene.objects.filter(~_is_fresh(SCENES, channel, space, run_id, force), video_id__in=video_ids).values_list("video_id", "pk")
    stale: dict[UUID, set[UUID]] = {}
    for video_id, scene_id in rows:
        stale.setdefault(video_id, set()).add(scene_id)
    return {video_id: frozenset(scenes) for video_id, scenes in stale.items()}


def filter_stale_people(
    target_type: TargetType,
    owner_id: UUID,
    channel: str,
    space: EmbeddingSpace,
    *,
    photo_token: UUID | None,
    run_id: UUID | None,
    force: bool,
) -> QuerySet[Any]:
    """Return an owner's stale photos, or stale people.

    A photo in state PROCESSING is included only if its lease is `photo_token`: the caller has normalized it. Other workers finish the
    others.
    """
    targets = target_type.select_searchable()
    if target_type is PHOTOS:
        targets = select_analyzable_photos().filter(
            ~Q(state=PersonPhoto.State.PROCESSING) | Q(lease_token=photo_token, lease_token__isnull=False)
        )
    return targets.filter(~_is_fresh(target_type, channel, space, run_id, force), owner=owner_id)


def select_stale_or_sampled(scenes: QuerySet[Scene], spaces: Sequence[EmbeddingSpace], earlier: QuerySet[Any]) -> QuerySet[Scene]:
    """Return the scenes that are stale in any of the spaces, or have a row there that one of the `earlier` runs (ids) has written."""
    stale = (~_is_fresh(SCENES, space.channel, space, None, force=False) for space in spaces)
    written = Exists(SCENES.filter_embeddings(scene=OuterRef("pk"), space__in=[space.pk for space in spaces], run_id__in=earlier))
    return scenes.filter(reduce(or_, stale, Q(written)))


def _is_fresh(target_type: TargetType, channel: str, space: EmbeddingSpace, run_id: UUID | None, force: bool) -> Exists:
    current = _filter_current(target_type, channel, space)
    tried = Q(run_id=run_id) if run_id else Q(pk__in=[])
    return Exists(current.filter(tried if force else tried | ~Q(state=EmbeddingRow.State.FAILED)))


def _filter_current(target_type: TargetType, channel: str, space: EmbeddingSpace | None) -> QuerySet[Any]:
    """Return the rows in a space of an outer query's target that have the hash of its current input."""
    name = target_type.name
    hashes = {f"{name}__inputs__channel": channel, f"{name}__inputs__hash": F("input_hash")}
    return target_type.filter_embeddings(**{name: OuterRef("pk")}, space=space, **hashes)


@dataclass(frozen=True)
class PlannedChannel:
    """One channel to plan, the space that it fills, and the sources of its inputs. Without a space every vector is missing.

    A `batch_size` of 0 means that the step calls no model.
    """

    step: str
    channel: str
    target_type: TargetType
    sources: tuple[Source, ...]
    space: EmbeddingSpace | None
    batch_size: int


@dataclass(frozen=True)
class _RowCounts:
    """Counts of the rows of one space: all, failed, and computed from an outdated input."""

    rows: int = 0
    failed: int = 0
    changed: int = 0


def count_channels(scope: Scope, channels: Sequence[PlannedChannel], *, force: bool) -> list[ChannelCounts]:
    """Count a scope's targets per channel and cause, with two queries per target type and up to three more per stale channel."""
    counts: dict[str, ChannelCounts] = {}
    for target_type, type_channels in _group_by_target_type(channels).items():
        targets = scope.select_targets(target_type)
        number = targets.count()
        by_space = {space_id: _RowCounts(*row) for space_id, *row in _count_rows(targets, type_channels, "embeddings__space")}
        for channel in type_channels:
            rows = by_space.get(channel.space.pk, _RowCounts()) if channel.space else _RowCounts()
            counts[channel.channel] = _count_channel(targets, number, channel, rows, force)
    return [counts[channel.channel] for channel in channels]


def count_owners(scope: Scope, channels: Sequence[PlannedChannel], *, force: bool) -> list[OwnerCounts]:
    """Count a scope's scenes and stale vectors per owner, with two queries per target type. Memory grows with the number of owners."""
    scenes: Counter[UUID] = Counter()
    stale: Counter[UUID] = Counter()
    for target_type, type_channels in _group_by_target_type(channels).items():
        targets = scope.select_targets(target_type)
        fresh: dict[UUID, int] = {}
        if not force:
            fresh = {owner_id: rows - failed - changed for owner_id, rows, failed, changed in _count_rows(targets, type_channels, "owner")}
        for owner_id, number in targets.order_by().values_list("owner").annotate(Count("pk")):
            scenes[owner_id] += number if target_type is SCENES else 0
            stale[owner_id] += max(number * len(type_channels) - fresh.get(owner_id, 0), 0)
    return [OwnerCounts(owner_id, scenes[owner_id], number) for owner_id, number in stale.items()]


def _group_by_target_type(channels: Sequence[PlannedChannel]) -> dict[TargetType, list[PlannedChannel]]:
    grouped: dict[TargetType, list[PlannedChannel]] = {}
    for channel in channels:
        grouped.setdefault(channel.target_type, []).append(channel)
    return grouped


def _count_rows(targets: QuerySet[Any], channels: Sequence[PlannedChannel], by: str) -> Iterable[tuple[UUID, int, int, int]]:
    """Count rows, failed rows and rows of an outdated input, grouped by the field `by`. Targets without a stored hash do not count.

    One pass reads the rows of all spaces, because they are mixed in one table.
    """
    spaces = [channel.space for channel in channels if channel.space]
    if not spaces:
        return ()
    failed = Q(embeddings__state=EmbeddingRow.State.FAILED)
    is_outdated = ~Q(embeddings__input_hash=F("inputs__hash"))
    # With the channel of the space, PostgreSQL's planner can estimate the size of the join.
    joined = targets.filter(embeddings__space__in=spaces, embeddings__space__channel=F("inputs__channel")).order_by()
    counts: Iterable[tuple[UUID, int, int, int]] = joined.values_list(by).annotate(
        rows=Count("embeddings"),
        failed=Count("embeddings", filter=failed),
        changed=Count("embeddings", filter=is_outdated & ~failed),
    )
    return counts


def _count_channel(targets: QuerySet[Any], number: int, channel: PlannedChannel, rows: _RowCounts, force: bool) -> ChannelCounts:
    # Targets may be deleted between two queries.
    absent = max(number - rows.rows + rows.failed, 0)
    due = number if force else absent + rows.changed
    step_changed = _count_in_other_spaces(targets, channel) if absent else 0
    inputs, characters = _count_inputs(targets, channel, force) if due else (0, 0.0)
    return ChannelCounts(
        step=channel.step,
        channel=channel.channel,
        target_type=channel.target_type.plural,
        targets=number,
        missing=max(absent - step_changed, 0),
        input_changed=rows.changed,
        step_changed=step_changed,
        inputs=inputs,
        characters=characters,
        batch_size=channel.batch_size,
    )


def _count_in_other_spaces(targets: QuerySet[Any], channel: PlannedChannel) -> int:
    """Count targets without a row in the channel's space that have a row in another space of the channel."""
    rows = channel.target_type.filter_embeddings(**{channel.target_type.name: OuterRef("pk")}, space__channel=channel.channel)
    return targets.filter(~Exists(rows.filter(space=channel.space)), Exists(rows.exclude(space=channel.space))).count()


def _count_inputs(targets: QuerySet[Any], channel: PlannedChannel, force: bool) -> tuple[int, float]:
    """Return the number of distinct non-empty inputs of stale targets, and their mean length in characters.

    Without a stored hash, targets with equal sources count as one input.
    """
    target_type, name = channel.target_type, channel.channel
    stale = targets
    if not force:
        current = _filter_current(target_type, name, channel.space)
        stale = targets.filter(~Exists(current.exclude(state=EmbeddingRow.State.FAILED)))
    length = sum((Length(source.field) for source in channel.sources if source.content == "text"), Value(0))
    hashed = stale.filter(inputs__channel=name, inputs__hash__gt="")
    hashes = target_type.input_model._default_manager.filter(**{target_type.name: OuterRef("pk")}, channel=name)
    unhashed = stale.filter(_has_content(channel.sources), ~Exists(hashes))
    fields = [source.field for source in channel.sources if source.content in ("text", "files")]
    parts = (part for field in fields for part in (F(field), Value("\x1f")))
    content = Concat(Value(""), *parts, output_field=TextField()) if fields else F("pk")
    inputs, characters = 0, 0.0
    for rows, distinct in ((hashed, F("inputs__hash")), (unhashed, content)):
        counts = rows.aggregate(inputs=Count(distinct, distinct=True), characters=Avg(length, default=0.0))
        inputs += counts["inputs"]
        characters += counts["inputs"] * counts["characters"]
    return inputs, characters / inputs if inputs else 0.0


def _has_content(sources: Sequence[Source]) -> Q:
    """Match targets that may have something to embed, judged by their sources."""
    switches = {source.field: True for source in sources if source.content == "switch"}
    contents = [~Q(**{source.field: ""}) for source in sources if source.content in ("text", "files")]
    is_known = contents and not any(source.content == "other" for source in sources)
    return Q(**switches) & reduce(or_, contents) if is_known else Q(**switches)
