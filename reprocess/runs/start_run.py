"""Start a run: record the request and its items, and wake a worker."""

from collections import Counter
from decimal import Decimal
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from heimdex.accounts.models import User
from reprocess.models import EmbeddingSpec, ReprocessItem, ReprocessRun, RunCounter, StepUse
from reprocess.planning.plan import Plan
from reprocess.planning.plan_serializer import serialize_plan
from reprocess.planning.scope import Scope
from reprocess.planning.targets import PEOPLE, PHOTOS
from reprocess.runs.control import wake_run
from reprocess.runs.plan_run import plan_run
from reprocess.spec import EffectiveSpec, effective_spec

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
    """Record a run over a scope and wake a worker. Return the unfinished run of the same request instead, if there is one.

    `spec` defaults to the latest. `max_cost` is limited by settings.MAX_RUN_COST. Raise ScopeNotFound for an unknown video or owner.
    """
    spec = spec or effective_spec()
    plan = plan_run(scope, force=force, spec=spec)
    with transaction.atomic():
        recorded = _record_spec(spec)
        same = ReprocessRun.objects.filter(
            state__in=ReprocessRun.UNFINISHED,
            scope=scope.kind,
            video=scope.video_id,
            owner=scope.owner_id,
            since=scope.since,
            force=force,
            spec=recorded,
        )
        # A run that has already begun may not read the edited text.
        if entrance != ReprocessRun.EntryPoint.EDIT and (existing := same.first()):
            return existing
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
            plan=serialize_plan(plan),
            max_cost=min((limit for limit in (max_cost, settings.MAX_RUN_COST) if limit is not None), default=None),
            automatic_cutover=automatic_cutover,
            video_count=plan.videos,
        )
        _create_counters(run, plan)
        StepUse.objects.bulk_create(StepUse(run=run, step=step) for step in dict.fromkeys(channel.step for channel in plan.channels))
        run.video_count, run.people_count = _create_items(run, scope, spec)
        run.save(update_fields=["video_count", "people_count"])
        wake_run(run.pk)
    log.info("Queued reprocessing", run_id=str(run.pk), spec_version=run.spec_version, scope=run.scope, videos=run.video_count)
    return run


def _record_spec(spec: EffectiveSpec) -> EmbeddingSpec:
    """Lock and return the spec's row, so that concurrent requests find each other's run."""
    EmbeddingSpec.objects.get_or_create(digest=spec.digest, defaults={"version": spec.version, "definition": spec.definition})
    return EmbeddingSpec.objects.select_for_update().get(digest=spec.digest)


def _create_counters(run: ReprocessRun, plan: Plan) -> None:
    RunCounter.objects.bulk_create(
        RunCounter(run=run, step=channel.step, channel=channel.channel, planned=channel.subjects) for channel in plan.channels
    )


def _create_items(run: ReprocessRun, scope: Scope, spec: EffectiveSpec) -> tuple[int, int]:
    """Create an item per video, numbered within its owner, and one per owner with people. Return how many of each.

    Items are created in batches, so that memory does not grow with the library.
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
    people_items = [ReprocessItem(run=run, owner_id=owner_id, turn=turns[owner_id]) for owner_id in owners]
    ReprocessItem.objects.bulk_create(people_items, batch_size=_BATCH)
    return turns.total(), len(people_items)
