"""Work on a run: claim items under a lease, compute, count, and end the run when nothing is left."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from time import sleep
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models.functions import Coalesce
from django.utils import timezone

from heimdex.embedders.errors import EmbedderUnavailable
from heimdex.leases import LET_GO, HeldRows, LeaseLost, hold
from heimdex.queue import is_stopping
from people.models import Person, PersonPhoto
from reprocess.actions.pause_run import pause_if_open
from reprocess.actions.start_run import wake
from reprocess.charges import charge
from reprocess.claiming import claim_group, claimable
from reprocess.completion import count_items, end_run, failed_items, finish_if_done, release
from reprocess.cutover import activate_complete
from reprocess.engine import Batch, embed_people, embed_videos
from reprocess.models import ReprocessFailure, ReprocessItem, ReprocessRun
from reprocess.older_spec import recorded_spec
from reprocess.spec import EffectiveSpec, effective_spec
from reprocess.work import Outcome
from videos.models import Scene, Video

log = structlog.get_logger(__name__)

SPEC_CHANGED = (
    "The configured models or steps changed after this run was queued (spec {queued}, now {now}), so it was not begun or not continued. "
    "Start a new run: what is done already is not computed again."
)
SOME_FAILED = "Some of it failed; the failures say why."
KILLED = "Work on this stopped {attempts} times without an end; its worker may have run out of memory. Start the run again to retry it."


class RunStopped(Exception):
    """The run was paused or cancelled, or this worker was told to stop: release what it holds and go."""


@dataclass
class ItemGuard:
    """The lease on a group of items, in the form that the engine asks for."""

    run_id: UUID
    token: UUID
    _held: HeldRows = field(init=False)

    def __post_init__(self) -> None:
        self._held = HeldRows(ReprocessItem, self.token)

    def progress(self, fraction: float) -> None:
        """Keep the lease; LeaseLost when another worker has taken over, RunStopped when the work is to end here."""
        if is_stopping() or not ReprocessRun.objects.filter(pk=self.run_id, state__in=ReprocessRun.OPEN).exists():
            raise RunStopped
        self._held.keep()

    def writing(self) -> AbstractContextManager[None]:
        """Write in one transaction that only the lease's holder can commit."""
        return self._held.writing()


def work(run_id: UUID) -> None:
    """Work on a run until it is done or others hold the rest; a second call, or one too late, does nothing."""
    run = ReprocessRun.objects.select_related("spec").filter(pk=run_id, state__in=ReprocessRun.OPEN).first()
    if run is None:
        return
    with structlog.contextvars.bound_contextvars(run_id=str(run.pk), spec_version=run.spec_version, scope=run.scope):
        log.info(f"Using embedding spec version: {run.spec_version}")
        spec = _spec_of(run)
        if spec is None:
            end_run(run, ReprocessRun.State.FAILED, SPEC_CHANGED.format(queued=run.spec_id[:8], now=effective_spec().digest[:8]))
            return
        if ReprocessRun.objects.filter(pk=run_id, state=ReprocessRun.State.QUEUED).update(
            state=ReprocessRun.State.RUNNING, started_at=Coalesce("started_at", timezone.now())
        ):
            log.info(f"Started reprocessing (spec_version={run.spec_version}, scope={run.scope})")
        try:
            first = True
            while not is_stopping() and _work_on_group(run, spec, first=first):
                first = False
        except EmbedderUnavailable as error:
            # Every further scene would fail for the same reason; what is done stays, and a person can mend it and resume.
            pause_if_open(run.pk, f"{error} Resume the run when that is mended.")
            return
        finish_if_done(run, spec)
        if is_stopping() and ReprocessRun.objects.filter(pk=run_id, state__in=ReprocessRun.OPEN).exists():
            # This wake-up is used up, so whoever works next needs another.
            wake(run_id)


def _spec_of(run: ReprocessRun) -> EffectiveSpec | None:
    """Return the spec that a run was queued for; None when today's steps or models no longer make it."""
    spec = effective_spec()
    if spec.digest == run.spec_id:
        return spec
    # These bring vectors up to date that are searched until a switch, whatever is configured by now.
    searched = run.entrance in (ReprocessRun.Entrance.ROLLBACK, ReprocessRun.Entrance.EDIT)
    return recorded_spec(run.spec) if searched else None


def _work_on_group(run: ReprocessRun, spec: EffectiveSpec, *, first: bool) -> bool:
    """Claim and finish one group; return False when nothing is left that this worker could claim."""
    token, items = claim_group(run)
    if not items:
        # A row that somebody holds for a moment (a rename, another worker's claim) is skipped, not gone.
        sleep(0.1)
        return claimable(run).exists()
    if first and claimable(run).exists():
        # A run is queued once; whoever finds more than it can take calls the next, until there is no more or nobody left.
        wake(run.pk)
    try:
        if items[0].attempts > settings.MAX_ATTEMPTS:
            _give_up(items[0], token)
        else:
            _finish_group(run, spec, token, items)
    except LeaseLost:
        log.warning("Group abandoned: another worker holds it, or its videos were deleted")
    except RunStopped:
        release(run, spec, token)
        return False
    except EmbedderUnavailable:
        release(run, spec, token)
        raise
    return True


def _finish_group(run: ReprocessRun, spec: EffectiveSpec, token: UUID, items: Sequence[ReprocessItem]) -> None:
    guard = ItemGuard(run.pk, token)

    def record(batch: Batch) -> None:
        charge(run, spec, batch)
        ReprocessFailure.objects.bulk_create(_failure(run, batch.step, outcome) for outcome in batch.outcomes if outcome.error)

    videos = list(Video.objects.filter(pk__in=[item.video_id for item in items if item.video_id]))
    if videos:
        embed_videos(videos, spec, guard, record, run_id=run.pk, force=run.force)
    for item in items:
        if not item.video_id:
            embed_people(item.owner_id, spec, guard, record, run_id=run.pk, force=run.force)
    with guard.writing():
        count_items(run, spec, items)
        failed = failed_items(run, items)
        done = ReprocessItem.objects.filter(lease_token=token)
        now = timezone.now()
        done.filter(pk__in=failed).update(state=ReprocessItem.State.FAILED, error=SOME_FAILED, finished_at=now, **LET_GO)
        done.update(state=ReprocessItem.State.DONE, finished_at=now, **LET_GO)
    owners = {item.owner_id for item in items}
    unfinished = set(run.items.filter(owner_id__in=owners, state__in=ReprocessItem.OPEN).values_list("owner_id", flat=True))
    activate_complete(owners - unfinished, spec, run)


def _failure(run: ReprocessRun, step: str, outcome: Outcome) -> ReprocessFailure:
    subject = outcome.subject
    return ReprocessFailure(
        run=run,
        owner_id=outcome.work.owner_id,
        video_id=subject.video_id if isinstance(subject, Scene) else None,
        scene_id=subject.pk if isinstance(subject, Scene) else None,
        person_id=subject.pk if isinstance(subject, Person) else subject.person_id if isinstance(subject, PersonPhoto) else None,
        photo_id=subject.pk if isinstance(subject, PersonPhoto) else None,
        step=step,
        channel=outcome.work.channel,
        error=outcome.error,
    )


def _give_up(item: ReprocessItem, token: UUID) -> None:
    with transaction.atomic():
        hold(ReprocessItem, token)
        text = KILLED.format(attempts=settings.MAX_ATTEMPTS)
        ReprocessItem.objects.filter(lease_token=token).update(
            state=ReprocessItem.State.FAILED, error=text, finished_at=timezone.now(), **LET_GO
        )
        ReprocessFailure.objects.create(run_id=item.run_id, owner_id=item.owner_id, video_id=item.video_id, step="worker", error=text)
    log.error("Gave up on an item", video_id=str(item.video_id or ""), owner_id=str(item.owner_id))
