"""Requests for runs: plan what a run would do, or start it."""

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from heimdex.accounts.models import User
from reprocess.models import EmbeddingSpec, ReprocessItem, ReprocessRun, RunCounter, StepUse
from reprocess.planning.plan import ChannelPlan, Plan, TimeRange, estimate_time, plan_channel, select_top_owners
from reprocess.planning.plan_serializer import serialize_plan
from reprocess.planning.scope import Scope
from reprocess.planning.staleness import PlannedChannel, count_channels, count_owners
from reprocess.planning.targets import PEOPLE, PHOTOS
from reprocess.runs.state import enqueue_run
from reprocess.spec import ConfiguredStep, EffectiveSpec, get_effective_spec
from videos.channels import get_channel
from videos.models import EmbeddingSpace

log = structlog.get_logger(__name__)
_BATCH = 2000
# The rate of a step is taken from this many earlier runs, the newest of this many candidates.
_RUNS_MEASURED = 5
_RUNS_SEARCHED = 50


def plan_run(scope: Scope, *, force: bool, spec: EffectiveSpec | None = None) -> Plan:
    """Return what a run over the scope would do. `spec` defaults to the latest. Nothing is written, and no model is called.

    Raise ScopeNotFound for an unknown video or owner.
    """
    scope.require_existing()
    spec = spec or get_effective_spec()
    spaces = {space.fingerprint: space for space in EmbeddingSpace.objects.filter(fingerprint__in=spec.fingerprints)}
    configured_channels = spec.list_channels()
    planned = [
        PlannedChannel(
            step=configured.step.name,
            channel=channel,
            target_type=configured.step.target_type,
            sources=get_channel(channel).sources,
            space=spaces.get(configured.compute_fingerprint(channel)),
            batch_size=_get_batch_size(configured),
        )
        for configured, channel in configured_channels
    ]
    counted = count_channels(scope, planned, force=force)
    channels = [
        plan_channel(counts, configured.identity.model, settings.MODEL_PRICES, force=force)
        for (configured, _), counts in zip(configured_channels, counted, strict=True)
    ]
    has_owners = scope.kind == "all" and any(channel.stale for channel in channels)
    owners, stale_owners = select_top_owners(count_owners(scope, planned, force=force) if has_owners else ())
    return Plan(
        spec.version,
        spec.digest,
        scope.select_videos().count(),
        tuple(channels),
        _estimate_total_time(spec, channels),
        owners,
        stale_owners,
    )


def start_run(
    scope: Scope,
    *,
    force: bool,
    entry_point: str,
    requested_by: User | None,
    max_cost: Decimal | None = None,
    automatic_cutover: bool = True,
    spec: EffectiveSpec | None = None,
) -> ReprocessRun:
    """Record a run over a scope with its items, and enqueue it. Return an unfinished run of the same request instead, if there is one.

    `spec` defaults to the latest. `max_cost` is limited by settings.MAX_RUN_COST. Raise ScopeNotFound for an unknown video or owner.
    """
    spec = spec or get_effective_spec()
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
        if entry_point != ReprocessRun.EntryPoint.EDIT and (existing := same.first()):
            return existing
        run = ReprocessRun.objects.create(
            requested_by=requested_by,
            entry_point=entry_point,
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
        enqueue_run(run.pk)
    log.info("Queued reprocessing", run_id=str(run.pk), spec_version=run.spec_version, scope=run.scope, videos=run.video_count)
    return run


def load_plan_owners(plan: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the e-mail address and the counts of each owner that a plan lists."""
    emails = dict(User.objects.filter(pk__in=[owner["owner_id"] for owner in plan["owners"]]).values_list("pk", "email"))
    return [(emails.get(UUID(owner["owner_id"]), owner["owner_id"]), owner) for owner in plan["owners"]]


def _record_spec(spec: EffectiveSpec) -> EmbeddingSpec:
    """Lock and return the spec's row, so that concurrent requests find each other's runs."""
    EmbeddingSpec.objects.get_or_create(digest=spec.digest, defaults={"version": spec.version, "definition": spec.definition})
    return EmbeddingSpec.objects.select_for_update().get(digest=spec.digest)


def _create_counters(run: ReprocessRun, plan: Plan) -> None:
    RunCounter.objects.bulk_create(
        RunCounter(run=run, step=channel.step, channel=channel.channel, planned=channel.targets) for channel in plan.channels
    )


def _create_items(run: ReprocessRun, scope: Scope, spec: EffectiveSpec) -> tuple[int, int]:
    """Create an item per video, numbered per owner, and an item per owner with people. Return the number of each.

    Items are created in batches, so that memory does not grow with the library.
    """
    turns: Counter[UUID] = Counter()
    batch: list[ReprocessItem] = []
    videos = scope.select_videos().order_by("created_at", "id").values_list("pk", "owner_id")
    for video_id, owner_id in videos.iterator(chunk_size=_BATCH):
        batch.append(ReprocessItem(run=run, video_id=video_id, owner_id=owner_id, turn=turns[owner_id]))
        turns[owner_id] += 1
        if len(batch) == _BATCH:
            ReprocessItem.objects.bulk_create(batch)
            batch = []
    ReprocessItem.objects.bulk_create(batch)
    owners = scope.select_people().order_by().values_list("owner_id", flat=True).distinct() if spec.list_channels(PHOTOS, PEOPLE) else ()
    people_items = [ReprocessItem(run=run, owner_id=owner_id, turn=turns[owner_id]) for owner_id in owners]
    ReprocessItem.objects.bulk_create(people_items, batch_size=_BATCH)
    return turns.total(), len(people_items)


def _get_batch_size(configured: ConfiguredStep) -> int:
    return configured.load_model().batch_size if configured.step.calls_model else 0


def _estimate_total_time(spec: EffectiveSpec, channels: list[ChannelPlan]) -> TimeRange | None:
    """Estimate the total time of all steps. Return None when a step was never measured with its model."""
    total = TimeRange(0.0, 0.0)
    for described in spec.definition:
        inputs = sum(channel.inputs for channel in channels if channel.step == described["name"])
        needed = estimate_time(inputs, _measure_rates(described) if inputs else [])
        if needed is None:
            return None
        total += needed
    return total


def _measure_rates(described: dict[str, Any]) -> list[float]:
    """Return the rates (inputs per second) of this step in earlier runs with the same model."""
    measured = StepUse.objects.filter(step=described["name"], inputs__gt=0, seconds__gt=0).select_related("run__spec").order_by("-pk")
    same = [use for use in measured[:_RUNS_SEARCHED] if described in use.run.spec.definition]
    return [use.inputs / use.seconds for use in same[:_RUNS_MEASURED]]
