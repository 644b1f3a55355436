"""Work on a run: acquire items, compute their vectors, count the outcomes, and end the run when no item is left."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from time import sleep
from uuid import UUID

import structlog
from django.conf import settings
from django.db import DatabaseError
from django.db.models.functions import Coalesce
from django.utils import timezone

from heimdex.leases import Lease, LeaseLost
from heimdex.outages.classify import OutageKind, find_outage
from heimdex.outages.database import wait_for_database
from heimdex.outages.models import NOT_WAITING
from heimdex.queue import is_stopping
from people.models import Person, PersonPhoto
from reprocess.cutover import activate_complete
from reprocess.models import ReprocessFailure, ReprocessItem, ReprocessRun
from reprocess.runs.acquire import acquire_group, compute_full_group, select_acquirable_items
from reprocess.runs.counters import count_items, find_failed_items
from reprocess.runs.engine import Batch, embed_people, embed_videos
from reprocess.runs.held_specs import leave_to_others, load_spec
from reprocess.runs.index_words import index_words
from reprocess.runs.outages import pause_for_outage
from reprocess.runs.state import enqueue_run, finish_if_done, record_usage, release_items
from reprocess.runs.trials import conclude_trial, load_models, load_sample
from reprocess.runs.unexpected import explain_item_failure
from reprocess.spec import EffectiveSpec
from reprocess.steps.embedding_task import Outcome
from videos.models import Scene, Video

log = structlog.get_logger(__name__)

SOME_FAILED = "Some vectors could not be computed, or documents not written. See the failures for the reasons."
KILLED = "Workers died {attempts} times while they processed this item, perhaps because memory ran out. Retry the failures of the run."


class RunStopped(Exception):
    """The run was paused or canceled, or this worker has to stop. Release the items and return."""


@dataclass(frozen=True)
class ItemLease:
    """The lease on a group of items, as the engine uses it."""

    run_id: UUID
    lease: Lease
    on_progress: Callable[[], None] | None

    def report_progress(self, fraction: float) -> None:
        """Renew the lease when it is due. Raise LeaseLost when it is lost, and RunStopped when the work has to end."""
        if is_stopping() or not ReprocessRun.objects.filter(pk=self.run_id, state__in=ReprocessRun.OPEN).exists():
            raise RunStopped
        if self.on_progress:
            self.on_progress()
        self.lease.renew_if_due()

    def transaction(self) -> AbstractContextManager[None]:
        """Open a transaction that commits only while the lease is held."""
        return self.lease.transaction()


def run_worker(run_id: UUID, on_progress: Callable[[], None] | None = None) -> None:
    """Work on a run until it is done or other workers have leased the rest. Do nothing for a run that is not open.

    A run of another spec is left to workers that hold it. `on_progress` is called before and after each batch; who watches a run in this
    way works on it in the foreground, and wakes no other worker.
    """
    run = ReprocessRun.objects.select_related("spec", "trial").filter(pk=run_id, state__in=ReprocessRun.OPEN).first()
    if run is None:
        return
    with structlog.contextvars.bound_contextvars(run_id=str(run.pk), spec_version=run.spec_version, scope=run.scope):
        log.info(f"Using embedding spec version: {run.spec_version}")
        spec = load_spec(run)
        if spec is None:
            leave_to_others(run)
            return
        if run.error:
            # It says that no worker has its spec.
            ReprocessRun.objects.filter(pk=run_id, state__in=ReprocessRun.OPEN).update(error="")
        if ReprocessRun.objects.filter(pk=run_id, state=ReprocessRun.State.QUEUED).update(
            state=ReprocessRun.State.RUNNING, started_at=Coalesce("started_at", timezone.now())
        ):
            log.info(f"Started reprocessing (spec_version={run.spec_version}, scope={run.scope})")
        try:
            if run.is_trial and select_acquirable_items(run).exists():
                load_models(run, spec)
            wakes_others = on_progress is None
            while not is_stopping() and _work_on_group(run, spec, on_progress, wakes_others=wakes_others):
                wakes_others = False
            if run.is_trial:
                conclude_trial(run, spec)
            finish_if_done(run, spec)
        except Exception as error:
            if find_outage(error) is OutageKind.DATABASE and wait_for_database():
                # This task ends here. The rescue would wait for the duration of a lease, because no lease has expired.
                enqueue_run(run.pk)
            # All further scenes would fail for the same reason.
            if not pause_for_outage(run.pk, error):
                raise
            return
        if is_stopping() and ReprocessRun.objects.filter(pk=run_id, state__in=ReprocessRun.OPEN).exists():
            # This task ends here, so the next worker needs another.
            enqueue_run(run_id)


def _work_on_group(run: ReprocessRun, spec: EffectiveSpec, on_progress: Callable[[], None] | None, *, wakes_others: bool) -> bool:
    """Acquire and process one group of items. Return False when no item is left to acquire."""
    lease, items = acquire_group(run, compute_full_group(spec))
    if not items:
        # Rows that another transaction had locked for a moment were skipped.
        sleep(0.1)
        return select_acquirable_items(run).exists()
    if wakes_others and select_acquirable_items(run).exists():
        # A run is enqueued once. A worker that finds more items than it takes enqueues it again for the next worker.
        enqueue_run(run.pk)
    try:
        if items[0].is_exhausted:
            _give_up(run, items[0], lease)
        else:
            _process_group(run, spec, lease, items, on_progress)
    except LeaseLost:
        log.warning("Group abandoned: its lease is lost, or its videos were deleted")
    except RunStopped:
        release_items(run, lease)
        return False
    except Exception as error:
        kind = find_outage(error)
        if kind is None:
            # The lease expires before the next attempt. After the last one, this is the reason for the failure.
            with suppress(DatabaseError):
                lease.rows.update(error=explain_item_failure(error, settings.MAX_ATTEMPTS))
        elif kind is not OutageKind.DATABASE or wait_for_database():
            # Without the database, the lease expires.
            release_items(run, lease)
        raise
    return True


def _process_group(
    run: ReprocessRun,
    spec: EffectiveSpec,
    lease: Lease,
    items: Sequence[ReprocessItem],
    on_progress: Callable[[], None] | None = None,
) -> None:
    item_lease = ItemLease(run.pk, lease, on_progress)
    sample = load_sample(items, spec) if run.is_trial else None

    def on_batch(batch: Batch) -> None:
        record_usage(run, spec, batch)
        ReprocessFailure.objects.bulk_create(_build_failure(run, batch.step, outcome) for outcome in batch.outcomes if outcome.error)

    videos = list(Video.objects.filter(pk__in=[item.video_id for item in items if item.video_id]))
    if videos:
        embed_videos(videos, spec, item_lease, on_batch, run_id=run.pk, force=run.force, sample=sample)
    for item in items:
        if not item.video_id:
            embed_people(item.owner_id, spec, item_lease, on_batch, run_id=run.pk, force=run.force)
    if spec.search_index and not run.is_trial:
        # Last, so that a search server that is away keeps no vector from being computed.
        index_words(run, [video.pk for video in videos], item_lease)
    with lease.transaction():
        count_items(run, items)
        failed = find_failed_items(run, items)
        now = timezone.now()
        lease.release(state=ReprocessItem.State.DONE, error="", finished_at=now)
        ReprocessRun.objects.filter(pk=run.pk, waits__gt=0).update(**NOT_WAITING)
        ReprocessItem.objects.filter(pk__in=failed).update(state=ReprocessItem.State.FAILED, error=SOME_FAILED, finished_at=now)
    if run.is_trial:
        return
    owners = {item.owner_id for item in items}
    unfinished = set(run.items.filter(owner_id__in=owners, state__in=ReprocessItem.OPEN).values_list("owner_id", flat=True))
    activate_complete(owners - unfinished, spec, run)


def _build_failure(run: ReprocessRun, step: str, outcome: Outcome) -> ReprocessFailure:
    target = outcome.target
    return ReprocessFailure(
        run=run,
        owner_id=outcome.task.owner_id,
        video_id=target.video_id if isinstance(target, Scene) else None,
        scene_id=target.pk if isinstance(target, Scene) else None,
        person_id=target.pk if isinstance(target, Person) else target.person_id if isinstance(target, PersonPhoto) else None,
        photo_id=target.pk if isinstance(target, PersonPhoto) else None,
        step=step,
        channel=outcome.task.channel,
        error=outcome.error,
    )


def _give_up(run: ReprocessRun, item: ReprocessItem, lease: Lease) -> None:
    text = item.error or KILLED.format(attempts=settings.MAX_ATTEMPTS)
    with lease.transaction():
        count_items(run, [item], untried="failed")
        lease.release(state=ReprocessItem.State.FAILED, error=text, finished_at=timezone.now())
        ReprocessFailure.objects.create(run_id=item.run_id, owner_id=item.owner_id, video_id=item.video_id, step="worker", error=text)
    log.error("Gave up on an item", video_id=str(item.video_id or ""), owner_id=str(item.owner_id))
