"""Requests for runs: plan what a run would do, or start it."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from heimdex.accounts.models import User
from reprocess.models import EmbeddingSpec, ReprocessItem, ReprocessRun, RunCounter, StepUse, Trial
from reprocess.planning.plan import OwnerCounts, Plan, plan_channel, select_top_owners
from reprocess.planning.plan_serializer import serialize_plan
from reprocess.planning.scope import Scope
from reprocess.planning.search_index import AWAY, count_search_index, count_stale_documents
from reprocess.planning.staleness import PlannedChannel, count_channels, count_owners
from reprocess.planning.targets import PEOPLE, PHOTOS
from reprocess.runs.estimates import estimate_steps, estimate_time_of_steps
from reprocess.runs.state import enqueue_run
from reprocess.spec import ConfiguredStep, EffectiveSpec, get_effective_spec
from videos.channels import get_channel
from videos.models import EmbeddingSpace, Scene
from videos.search.lexical.scene_documents import IndexView
from videos.search.lexical.search_index import read_index_view

log = structlog.get_logger(__name__)
_BATCH = 2000


@dataclass(frozen=True)
class TrialRequest:
    """What a trial records beside its run. `in_foreground` states that the caller works on the run."""

    size: int
    samples: dict[str, Any]
    left_out: list[str]
    judged: list[Any]
    in_foreground: bool = False


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
    view = read_index_view() if spec.search_index else None
    if spec.search_index:
        channels.append(plan_channel(count_search_index(scope, view, force=force), "", settings.MODEL_PRICES, force=force))
    has_owners = scope.kind == "all" and any(channel.stale for channel in channels)
    owners, stale_owners = select_top_owners(_count_owners(scope, planned, view, force=force) if has_owners else ())
    return Plan(
        spec.version,
        spec.digest,
        scope.select_videos().count(),
        tuple(channels),
        estimate_time_of_steps(estimate_steps(spec, channels)),
        owners,
        stale_owners,
        (AWAY.format(problem=view.problem),) if view and view.problem else (),
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
    trial: TrialRequest | None = None,
) -> ReprocessRun:
    """Record a run over a scope with its items, and enqueue it. Return an unfinished run of the same request instead, if there is one.

    `spec` defaults to the latest. `max_cost` is limited by settings.MAX_RUN_COST. With `trial`, the run is one over the scope's sample.
    Raise ScopeNotFound for an unknown video or owner.
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
            **({"trial__size": trial.size, "trial__judged": trial.judged} if trial else {"trial__isnull": True}),
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
        if trial:
            Trial.objects.create(run=run, size=trial.size, samples=trial.samples, left_out=trial.left_out, judged=trial.judged)
        if trial and trial.in_foreground:
            # The rescue leaves it to the process that has started it, as long as that lives.
            ReprocessRun.objects.filter(pk=run.pk).update(woken_at=timezone.now())
        else:
            enqueue_run(run.pk)
    log.info("Queued reprocessing", run_id=str(run.pk), spec_version=run.spec_version, scope=run.scope, videos=run.video_count)
    return run


def _count_owners(scope: Scope, planned: Sequence[PlannedChannel], view: IndexView | None, *, force: bool) -> list[OwnerCounts]:
    documents = count_stale_documents(scope, view, force=force)
    return [replace(owner, stale=owner.stale + documents.get(owner.owner_id, 0)) for owner in count_owners(scope, planned, force=force)]


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
    sampled = _group_by_video(scope.scene_ids)
    for video_id, owner_id in videos.iterator(chunk_size=_BATCH):
        item = ReprocessItem(run=run, video_id=video_id, owner_id=owner_id, turn=turns[owner_id], scene_ids=sampled.get(video_id))
        batch.append(item)
        turns[owner_id] += 1
        if len(batch) == _BATCH:
            ReprocessItem.objects.bulk_create(batch)
            batch = []
    ReprocessItem.objects.bulk_create(batch)
    owners = scope.select_people().order_by().values_list("owner_id", flat=True).distinct() if spec.list_channels(PHOTOS, PEOPLE) else ()
    people_items = [ReprocessItem(run=run, owner_id=owner_id, turn=turns[owner_id]) for owner_id in owners]
    ReprocessItem.objects.bulk_create(people_items, batch_size=_BATCH)
    return turns.total(), len(people_items)


def _group_by_video(scene_ids: Collection[UUID] | None) -> dict[UUID, list[UUID]]:
    """Return the ids of sampled scenes by video."""
    scenes: dict[UUID, list[UUID]] = {}
    for video_id, scene_id in Scene.objects.filter(pk__in=scene_ids or ()).order_by("video", "index").values_list("video_id", "pk"):
        scenes.setdefault(video_id, []).append(scene_id)
    return scenes


def _get_batch_size(configured: ConfiguredStep) -> int:
    return configured.load_model().batch_size if configured.step.calls_model else 0
