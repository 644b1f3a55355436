"""Count what a run has done, and end it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Count, F, FilteredRelation, Q, QuerySet, Sum
from django.utils import timezone

from heimdex.leases import LET_GO
from reprocess.actions.start_run import wake
from reprocess.cutover import activate_complete
from reprocess.models import ReprocessItem, ReprocessRun
from reprocess.spec import EffectiveSpec
from reprocess.subjects import PEOPLE, PHOTOS, SCENES
from videos.models import EmbeddingRow, EmbeddingSpace, Scene

log = structlog.get_logger(__name__)

OUTCOMES = ("done", "skipped", "empty", "failed")


def count_items(run: ReprocessRun, spec: EffectiveSpec, items: Sequence[ReprocessItem]) -> None:
    """Add finished videos, or people, to the run's counters, read from the rows themselves, so that a crash before this loses no count."""
    videos = [item.video_id for item in items if item.video_id]
    owners = [item.owner_id for item in items if not item.video_id]
    counts: dict[str, dict[UUID, dict[str, int]]] = {}
    if videos:
        scenes = Scene.objects.filter(video_id__in=videos)
        counts |= {channel: _counts(run, one.space(channel), scenes, "video_id") for one, channel in spec.channels(SCENES)}
    if owners:
        for one, channel in spec.channels(PHOTOS, PEOPLE):
            subjects = one.step.kind.searchable().filter(owner__in=owners)
            counts[channel] = _counts(run, one.space(channel), subjects, "owner_id")
    for channel, by_item in counts.items():
        sums = {outcome: sum(numbers[outcome] for numbers in by_item.values()) for outcome in OUTCOMES}
        run.counters.filter(channel=channel).update(**{outcome: F(outcome) + number for outcome, number in sums.items()})
    for item in items:
        key = item.video_id or item.owner_id
        item.counts = {channel: by_item[key] for channel, by_item in counts.items() if key in by_item}
    ReprocessItem.objects.bulk_update(items, ["counts"])


def _counts(run: ReprocessRun, space: EmbeddingSpace, subjects: QuerySet[Any], by: str) -> dict[UUID, dict[str, int]]:
    """Count some subjects by what this run has done with them, for each video or owner."""
    by_this_run = Q(held__run_id=run.pk)
    rows = (
        subjects.annotate(held=FilteredRelation("embeddings", condition=Q(embeddings__space=space)))
        .values(by)
        .annotate(
            subjects=Count("pk"),
            done=Count("pk", filter=by_this_run & Q(held__state=EmbeddingRow.State.EMBEDDED)),
            empty=Count("pk", filter=by_this_run & Q(held__state=EmbeddingRow.State.EMPTY)),
            failed=Count("pk", filter=by_this_run & Q(held__state=EmbeddingRow.State.FAILED)),
        )
        .order_by()
    )
    return {
        row[by]: {
            "done": row["done"],
            "skipped": row["subjects"] - row["done"] - row["empty"] - row["failed"],
            "empty": row["empty"],
            "failed": row["failed"],
        }
        for row in rows
    }


def failed_items(run: ReprocessRun, items: Sequence[ReprocessItem]) -> list[int]:
    """Return which of these items have failures."""
    failures = run.failures.order_by()
    videos = set(failures.filter(video__in=[item.video_id for item in items]).values_list("video_id", flat=True))
    owners = set(failures.filter(video__isnull=True, owner__in=[item.owner_id for item in items]).values_list("owner_id", flat=True))
    return [item.pk for item in items if (item.video_id in videos if item.video_id else item.owner_id in owners)]


def release(run: ReprocessRun, spec: EffectiveSpec, token: UUID) -> None:
    """Give back the items that a worker holds; in a cancelled run, what it computed of them is counted first."""
    with transaction.atomic():
        held = list(ReprocessItem.objects.select_for_update().filter(lease_token=token))
        cancelled = ReprocessRun.objects.filter(pk=run.pk, state=ReprocessRun.State.CANCELLED).exists()
        if cancelled:
            count_items(run, spec, held)
        ReprocessItem.objects.filter(pk__in=[item.pk for item in held]).update(
            state=ReprocessItem.State.CANCELLED if cancelled else ReprocessItem.State.QUEUED,
            # The attempt did not fail.
            attempts=F("attempts") - 1,
            finished_at=timezone.now() if cancelled else None,
            **LET_GO,
        )


def finish_if_done(run: ReprocessRun, spec: EffectiveSpec) -> None:
    """End the run when no item is left open; whoever else is at it then finds it ended."""
    if run.items.filter(state__in=ReprocessItem.OPEN).exists():
        return
    # Once more for every owner: a worker may have died between its last item and the switch.
    activate_complete(run.items.order_by().values_list("owner_id", flat=True).distinct().iterator(), spec, run)
    with transaction.atomic():
        locked = ReprocessRun.objects.select_for_update().get(pk=run.pk)
        if locked.state not in ReprocessRun.OPEN or locked.items.filter(state__in=ReprocessItem.OPEN).exists():
            return
        # Subjects that came or went during the run were not in the plan, or are no more; now the counts are final.
        locked.counters.update(planned=F("done") + F("skipped") + F("empty") + F("failed"))
        failed = locked.items.filter(state=ReprocessItem.State.FAILED).count()
        succeeded = locked.items.filter(state=ReprocessItem.State.DONE).count()
        state = ReprocessRun.State.SUCCEEDED if not failed else ReprocessRun.State.PARTIAL if succeeded else ReprocessRun.State.FAILED
    end_run(run, state, f"{failed} of {failed + succeeded} item(s) failed; the failures say why." if failed else "")


def end_run(run: ReprocessRun, state: str, error: str) -> None:
    """Record a run's end, once, and wake the runs that may have waited for its videos."""
    now = timezone.now()
    # Together, so that an ended run never has an open item, whatever dies in between; the items first, as workers lock them.
    with transaction.atomic():
        run.items.filter(state__in=ReprocessItem.OPEN).update(state=ReprocessItem.State.FAILED, error=error, finished_at=now, **LET_GO)
        ended = ReprocessRun.objects.filter(pk=run.pk, state__in=ReprocessRun.OPEN).update(state=state, error=error, finished_at=now)
        if not ended:
            transaction.set_rollback(True)
            return
    run.refresh_from_db()
    counts = run.counters.aggregate(**{outcome: Sum(outcome, default=0) for outcome in OUTCOMES})
    summary = ", ".join(f"{outcome}={counts[outcome]}" for outcome in OUTCOMES)
    log.info(
        f"Reprocessing completed (spec_version={run.spec_version}, scope={run.scope}, state={state}, videos={run.video_count}, {summary}, "
        f"model_calls={run.model_calls})",
        error=error,
    )
    for waiting in ReprocessRun.objects.filter(state__in=ReprocessRun.OPEN).values_list("pk", flat=True):
        wake(waiting)
