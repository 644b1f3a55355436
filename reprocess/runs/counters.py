"""Count the outcomes of a run from the rows that it has written."""

from collections import Counter
from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import Any, Literal
from uuid import UUID

from django.db.models import Count, Exists, F, FilteredRelation, OuterRef, Q, QuerySet
from django.db.models.functions import Greatest

from reprocess.models import ReprocessItem, ReprocessRun
from reprocess.planning.search_index import SEARCH_INDEX
from reprocess.planning.targets import SCENES, get_target_type
from videos.models import EmbeddingRow, EmbeddingSpace, Scene, SceneWords, SearchChange
from videos.search.lexical.search_index import find_search_index

OUTCOMES = ("done", "skipped", "empty", "failed")


def count_items(run: ReprocessRun, items: Sequence[ReprocessItem], *, untried: Literal["skipped", "failed"] | None = "skipped") -> None:
    """Add items to the run's counters. The counts come from the written rows, so a crash before this call loses nothing.

    `untried` is the outcome of targets that this run has neither tried nor found up to date: skipped in a finished item, whose targets
    have changed meanwhile, failed in an abandoned one, and None in an item that is not finished. An item that was counted before adds
    only the difference.
    """
    videos = [item.video_id for item in items if item.video_id]
    owners = [item.owner_id for item in items if not item.video_id]
    # All items of a trial have scenes, and no item of another run.
    sampled = [scene_id for item in items for scene_id in item.scene_ids or ()]
    counts: dict[str, dict[UUID, dict[str, int]]] = {}
    for channel, space in _find_spaces(run).items():
        target_type = get_target_type(channel)
        if target_type is SCENES and videos:
            scenes = Scene.objects.filter(video_id__in=videos)
            if sampled:
                scenes = scenes.filter(pk__in=sampled)
            counts[channel] = _count_outcomes(run, channel, space, scenes, "video_id", untried)
        elif target_type is not SCENES and owners:
            targets = target_type.select_searchable().filter(owner__in=owners)
            counts[channel] = _count_outcomes(run, channel, space, targets, "owner_id", untried)
    if videos and not run.is_trial:
        counts |= _count_documents(run, videos, untried)
    added: dict[str, Counter[str]] = {channel: Counter() for channel in counts}
    for item in items:
        key = item.video_id or item.owner_id
        before, item.counts = item.counts, {channel: per_item[key] for channel, per_item in counts.items() if key in per_item}
        for channel, numbers in item.counts.items():
            added[channel].update(numbers)
            added[channel].subtract(before.get(channel, {}))
    for channel, sums in added.items():
        updated = {outcome: F(outcome) + sums[outcome] for outcome in OUTCOMES}
        # Targets that were created during the run are planned as soon as they are counted, so that the numbers add up at every read.
        counted = reduce(add, updated.values())
        run.counters.filter(channel=channel).update(**updated, planned=Greatest(F("planned"), counted))
    ReprocessItem.objects.bulk_update(items, ["counts"])


def find_failed_items(run: ReprocessRun, items: Sequence[ReprocessItem]) -> list[int]:
    """Return the ids of the items that have failures."""
    failures = run.failures.order_by()
    videos = set(failures.filter(video__in=[item.video_id for item in items]).values_list("video_id", flat=True))
    owners = set(failures.filter(video__isnull=True, owner__in=[item.owner_id for item in items]).values_list("owner_id", flat=True))
    return [item.pk for item in items if (item.video_id in videos if item.video_id else item.owner_id in owners)]


def _find_spaces(run: ReprocessRun) -> dict[str, EmbeddingSpace | None]:
    """Return the spaces that a run fills, by channel. None for a channel whose space does not exist yet."""
    fingerprints = {channel: fingerprint for step in run.spec.definition for channel, fingerprint in step["fingerprints"].items()}
    spaces = {space.fingerprint: space for space in EmbeddingSpace.objects.filter(fingerprint__in=fingerprints.values())}
    return {channel: spaces.get(fingerprint) for channel, fingerprint in fingerprints.items()}


def _count_documents(run: ReprocessRun, videos: Sequence[UUID], untried: str | None) -> dict[str, dict[UUID, dict[str, int]]]:
    """Count the documents of each video by their outcome in this run; nothing without a search index, or in a run of an older release."""
    if find_search_index() is None or not run.counters.filter(channel=SEARCH_INDEX).exists():
        return {}
    is_current = Q(document__text_hash=F("text_hash"))
    is_done = is_current & Q(document__written_at__gte=run.created_at)
    is_refused = Q(Exists(SearchChange.objects.filter(scene_id=OuterRef("pk")).exclude(error="")))
    rows = (
        SceneWords.objects.filter(video_id__in=videos)
        .values("video_id")
        .annotate(
            targets=Count("pk"),
            done=Count("pk", filter=is_done),
            refused=Count("pk", filter=is_refused),
            refused_before=Count("pk", filter=is_refused & is_done),
            # Where they are, the step has found out. In an item that is not finished, it may still find that they are gone.
            current=Count("pk", filter=is_current),
            refused_current=Count("pk", filter=is_refused & is_current),
        )
        .order_by()
    )
    outcomes = {}
    for row in rows:
        failed = row["refused"] - row["refused_before"]
        skipped = 0 if run.force else row["current"] - row["done"] - (row["refused_current"] - row["refused_before"])
        counts = {"done": row["done"], "skipped": skipped, "empty": 0, "failed": failed}
        if untried:
            counts[untried] += row["targets"] - sum(counts.values())
        outcomes[row["video_id"]] = counts
    return {SEARCH_INDEX: outcomes}


def _count_outcomes(
    run: ReprocessRun, channel: str, space: EmbeddingSpace | None, targets: QuerySet[Any], group_by: str, untried: str | None
) -> dict[UUID, dict[str, int]]:
    """Count the targets of each video or owner by their outcome in this run."""
    by_this_run = Q(embedding__run_id=run.pk)
    # A forced run finds nothing up to date.
    is_current = Q(pk__in=[]) if run.force else Q(embedding__input_hash=F("input__hash")) & ~Q(embedding__state=EmbeddingRow.State.FAILED)
    rows = (
        targets.annotate(
            embedding=FilteredRelation("embeddings", condition=Q(embeddings__space=space)),
            input=FilteredRelation("inputs", condition=Q(inputs__channel=channel)),
        )
        .values(group_by)
        .annotate(
            targets=Count("pk"),
            done=Count("pk", filter=by_this_run & Q(embedding__state=EmbeddingRow.State.EMBEDDED)),
            empty=Count("pk", filter=by_this_run & Q(embedding__state=EmbeddingRow.State.EMPTY)),
            failed=Count("pk", filter=by_this_run & Q(embedding__state=EmbeddingRow.State.FAILED)),
            skipped=Count("pk", filter=~by_this_run & is_current),
        )
        .order_by()
    )
    outcomes = {}
    for row in rows:
        counts = {outcome: row[outcome] for outcome in OUTCOMES}
        if untried:
            counts[untried] += row["targets"] - sum(counts.values())
        outcomes[row[group_by]] = counts
    return outcomes
