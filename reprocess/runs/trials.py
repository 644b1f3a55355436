"""Trials: what a worker computes of the sample, and the report that ends them."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Count, Sum
from django.utils import timezone

from reprocess.cutover.sampled import evaluate_sample, read_queries, require_servers
from reprocess.cutover.switch import list_pending_scene_spaces, plan_cutover
from reprocess.models import ReprocessItem, ReprocessRun, Trial
from reprocess.planning.scope import Scope, ScopeError
from reprocess.planning.search_index import SEARCH_INDEX
from reprocess.runs.engine import Sample
from reprocess.runs.estimates import estimate_steps
from reprocess.runs.requests import plan_run
from reprocess.runs.trial_report import FullRun, OwnerTrial, TrialReport, TrialReportSerializer
from reprocess.spec import EffectiveSpec
from videos.models import SceneEmbedding


def load_sample(items: Sequence[ReprocessItem], spec: EffectiveSpec) -> Sample:
    """Return the scenes of a trial's items by channel, for the channels whose new space the owner's search does not read."""
    by_owner: dict[UUID, list[UUID]] = {}
    for item in items:
        by_owner.setdefault(item.owner_id, []).extend(item.scene_ids or ())
    sample: dict[str, set[UUID]] = {}
    for owner_id, scene_ids in by_owner.items():
        for space in list_pending_scene_spaces(owner_id, spec):
            sample.setdefault(space.channel, set()).update(scene_ids)
    return sample


def load_models(run: ReprocessRun, spec: EffectiveSpec) -> None:
    """Load the models of a trial's text channels, so that the time of loading does not count. Raise ModelAway when a server is away."""
    owner_ids = run.items.filter(state__in=ReprocessItem.OPEN).order_by().values_list("owner_id", flat=True).distinct()
    require_servers(space for owner_id in owner_ids for space in list_pending_scene_spaces(owner_id, spec))


def conclude_trial(run: ReprocessRun, spec: EffectiveSpec) -> None:
    """Write the report of a trial that has no open item. Idempotent.

    Raise ModelAway when the server of a model does not answer. The vectors are kept.
    """
    if run.items.filter(state__in=ReprocessItem.OPEN).exists():
        return
    trial = Trial.objects.get(run=run)
    judged = read_queries(trial.judged)
    sampled: dict[UUID, set[UUID]] = {}
    for owner_id, scene_ids in run.items.order_by("owner_id").values_list("owner_id", "scene_ids"):
        sampled.setdefault(owner_id, set()).update(scene_ids or ())
    owners = []
    for owner_id, ids in sampled.items():
        # The rescue must not wake another worker meanwhile.
        if not ReprocessRun.objects.filter(pk=run.pk, state__in=ReprocessRun.OPEN).update(woken_at=timezone.now()):
            return
        result = evaluate_sample(plan_cutover(owner_id, spec), frozenset(ids), judged)
        counts = trial.samples.get(str(owner_id), {"stale": 0, "judged": 0, "judged_sampled": 0})
        owners.append(OwnerTrial(owner_id, len(ids), counts["stale"], counts["judged"], counts["judged_sampled"], result))
    report = _measure(run, spec, owners, trial.left_out)
    Trial.objects.filter(run=run).update(report=TrialReportSerializer(report).data)


def _measure(run: ReprocessRun, spec: EffectiveSpec, owners: Sequence[OwnerTrial], left_out: Sequence[str]) -> TrialReport:
    run.refresh_from_db(fields=["model_calls", "tokens", "cost"])
    seconds = run.uses.aggregate(total=Sum("seconds", default=0.0))["total"]
    written = SceneEmbedding.objects.filter(run_id=run.pk).aggregate(scenes=Count("scene", distinct=True))["scenes"]
    return TrialReport(
        sampled=sum(owner.sampled for owner in owners),
        stale=sum(owner.stale for owner in owners),
        computed=written,
        model_calls=run.model_calls,
        tokens=run.tokens,
        cost=run.cost,
        seconds=seconds,
        full_run=_estimate_full_run(run, spec),
        owners=tuple(owners),
        left_out=tuple(left_out),
    )


def _estimate_full_run(run: ReprocessRun, spec: EffectiveSpec) -> FullRun | None:
    """Estimate what is left for the full run. Return None when its scope was deleted meanwhile."""
    try:
        plan = plan_run(Scope(run.scope, run.video_id, run.owner_id, run.since), force=False, spec=spec)  # type: ignore[arg-type]
    except ScopeError:
        return None
    vectors = sum(channel.stale for channel in plan.channels if channel.channel != SEARCH_INDEX)
    return FullRun(vectors, plan.model_calls, tuple(estimate_steps(spec, plan.channels)))
