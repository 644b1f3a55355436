"""Start a run: record what was asked for and wake the workers."""

from collections import Counter
from decimal import Decimal
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from heimdex.accounts.models import User
from heimdex.queue import enqueue
from reprocess.actions.plan_run import plan_run
from reprocess.models import EmbeddingSpec, ReprocessItem, ReprocessRun, RunCounter, StepUse
from reprocess.outlook import outlook
from reprocess.plan import Plan
from reprocess.scope import Scope
from reprocess.spec import EffectiveSpec, effective_spec
from reprocess.subjects import PEOPLE, PHOTOS

log = structlog.get_logger(__name__)

_BATCH = 2000


def start_run(
    scope: Scope,
    *,
    force: bool,
    entrance: str,
    requested_by: User | None,
    max_cost: Decimal | None = None,
    automatic_cutover: bool = True,
    spec: EffectiveSpec | None = None,
) -> ReprocessRun:
    """Record a run over a scope and queue its work; an unfinished run of the same request is returned instead of a second one.

    `spec` is the latest unless told. `max_cost` is at most settings.MAX_RUN_COST. ScopeNotFound for an unknown video or owner.
    """
    wanted = spec or effective_spec()
    plan = plan_run(scope, force=force, spec=wanted)
    with transaction.atomic():
        recorded = _record_spec(wanted)
        same = ReprocessRun.objects.filter(
            state__in=ReprocessRun.UNFINISHED,
            scope=scope.kind,
            video=scope.video_id,
            owner=scope.owner_id,
            since=scope.since,
            force=force,
            spec=recorded,
        )
        # What depends on an edit is read by a run that begins after it.
        if entrance != ReprocessRun.Entrance.EDIT and (joined := same.first()):
            return joined
        run = ReprocessRun.objects.create(
            requested_by=requested_by,
            entrance=entrance,
            scope=scope.kind,
            video_id=scope.video_id,
            owner_id=scope.owner_id,
            since=scope.since,
            force=force,
            spec=recorded,
            spec_version=recorded.version,
            plan=plan.as_data(),
            max_cost=min((limit for limit in (max_cost, settings.MAX_RUN_COST) if limit is not None), default=None),
            automatic_cutover=automatic_cutover,
            video_count=plan.videos,
        )
        _create_counters(run, plan)
        StepUse.objects.bulk_create(StepUse(run=run, step=step) for step in dict.fromkeys(channel.step for channel in plan.channels))
        run.video_count, run.people_count = _create_items(run, scope, wanted)
        run.save(update_fields=["video_count", "people_count"])
        wake(run.pk)
    log.info("Queued reprocessing", run_id=str(run.pk), spec_version=run.spec_version, scope=run.scope, videos=run.video_count)
    return run


def wake(run_id: UUID) -> None:
    """Ask a worker to take the run up."""
    ReprocessRun.objects.filter(pk=run_id).update(woken_at=timezone.now())
    enqueue("reprocess.tasks.work_run", str(run_id))


def queued_message(*runs: ReprocessRun) -> str:
    """Return what every entrance answers with: how much was queued and, while new spaces fill in parts, when search follows."""
    videos, owners = sum(run.video_count for run in runs), sum(run.people_count for run in runs)
    what = f"{videos} video(s)" + (f" and the people of {owners} owner(s)" if owners else "")
    queued = f"Queued embedding reprocessing for {what} using spec version {runs[0].spec_version}"
    return ". ".join([queued, *outlook(*runs)])


def _record_spec(spec: EffectiveSpec) -> EmbeddingSpec:
    """Return the spec's row, locked, so that two requests at once find each other's run."""
    EmbeddingSpec.objects.get_or_create(digest=spec.digest, defaults={"version": spec.version, "definition": spec.definition})
    return EmbeddingSpec.objects.select_for_update().get(digest=spec.digest)


def _create_counters(run: ReprocessRun, plan: Plan) -> None:
    RunCounter.objects.bulk_create(
        RunCounter(run=run, step=channel.step, channel=channel.channel, planned=channel.subjects) for channel in plan.channels
    )


def _create_items(run: ReprocessRun, scope: Scope, spec: EffectiveSpec) -> tuple[int, int]:
    """Create an item per video, numbered within its owner, and one per owner with people; return how many of each.

    In batches, so that memory does not grow with the library.
    """
    turns: Counter[UUID] = Counter()
    batch: list[ReprocessItem] = []
    videos = scope.videos().order_by("created_at", "id").values_list("pk", "owner_id")
    for video_id, owner_id in videos.iterator(chunk_size=_BATCH):
        batch.append(ReprocessItem(run=run, video_id=video_id, owner_id=owner_id, turn=turns[owner_id]))
        turns[owner_id] += 1
        if len(batch) == _BATCH:
            ReprocessItem.objects.bulk_create(batch)
            batch = []
    ReprocessItem.objects.bulk_create(batch)
    owners = scope.people().order_by().values_list("owner_id", flat=True).distinct() if spec.channels(PHOTOS, PEOPLE) else ()
    of_people = [ReprocessItem(run=run, owner_id=owner_id, turn=turns[owner_id]) for owner_id in owners]
    ReprocessItem.objects.bulk_create(of_people, batch_size=_BATCH)
    return turns.total(), len(of_people)
