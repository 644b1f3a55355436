"""Count what a run has done, from the rows of vectors that it has written."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Count, F, FilteredRelation, Q, QuerySet

from reprocess.models import ReprocessItem, ReprocessRun
from reprocess.planning.targets import PEOPLE, PHOTOS, SCENES
from reprocess.spec import EffectiveSpec
from videos.models import EmbeddingRow, EmbeddingSpace, Scene

OUTCOMES = ("done", "skipped", "empty", "failed")


def count_items(run: ReprocessRun, spec: EffectiveSpec, items: Sequence[ReprocessItem]) -> None:
    """Add finished items to the run's counters. The counts come from the vectors' rows, so a crash before this loses none."""
    videos = [item.video_id for item in items if item.video_id]
    owners = [item.owner_id for item in items if not item.video_id]
    counts: dict[str, dict[UUID, dict[str, int]]] = {}
    if videos:
        scenes = Scene.objects.filter(video_id__in=videos)
        counts |= {
            channel: _count_outcomes(run, configured.space(channel), scenes, "video_id") for configured, channel in spec.channels(SCENES)
        }
    if owners:
        for configured, channel in spec.channels(PHOTOS, PEOPLE):
            targets = configured.step.target_type.searchable().filter(owner__in=owners)
            counts[channel] = _count_outcomes(run, configured.space(channel), targets, "owner_id")
    for channel, per_item in counts.items():
        sums = {outcome: sum(numbers[outcome] for numbers in per_item.values()) for outcome in OUTCOMES}
        run.counters.filter(channel=channel).update(**{outcome: F(outcome) + number for outcome, number in sums.items()})
    for item in items:
        key = item.video_id or item.owner_id
        item.counts = {channel: per_item[key] for channel, per_item in counts.items() if key in per_item}
    ReprocessItem.objects.bulk_update(items, ["counts"])


def failed_items(run: ReprocessRun, items: Sequence[ReprocessItem]) -> list[int]:
    """Return the ids of the items that have failures."""
    failures = run.failures.order_by()
    videos = set(failures.filter(video__in=[item.video_id for item in items]).values_list("video_id", flat=True))
    owners = set(failures.filter(video__isnull=True, owner__in=[item.owner_id for item in items]).values_list("owner_id", flat=True))
    return [item.pk for item in items if (item.video_id in videos if item.video_id else item.owner_id in owners)]


def _count_outcomes(run: ReprocessRun, space: EmbeddingSpace, targets: QuerySet[Any], group_by: str) -> dict[UUID, dict[str, int]]:
    """Count targets per outcome of this run, for each video or owner."""
    by_this_run = Q(embedding__run_id=run.pk)
    rows = (
        targets.annotate(embedding=FilteredRelation("embeddings", condition=Q(embeddings__space=space)))
        .values(group_by)
        .annotate(
            targets=Count("pk"),
            done=Count("pk", filter=by_this_run & Q(embedding__state=EmbeddingRow.State.EMBEDDED)),
            empty=Count("pk", filter=by_this_run & Q(embedding__state=EmbeddingRow.State.EMPTY)),
            failed=Count("pk", filter=by_this_run & Q(embedding__state=EmbeddingRow.State.FAILED)),
        )
        .order_by()
    )
    return {
        row[group_by]: {
            "done": row["done"],
            "skipped": row["targets"] - row["done"] - row["empty"] - row["failed"],
            "empty": row["empty"],
            "failed": row["failed"],
        }
        for row in rows
    }
