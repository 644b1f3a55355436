"""Try a change of models on a sample before the full run. Command, API and admin share this."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from heimdex.accounts.models import User
from heimdex.errors import WrongState
from reprocess.cutover.judging import MAX_SAVED_QUERIES
from reprocess.cutover.sampled import list_judged_scenes, store_queries
from reprocess.cutover.switch import list_pending_scene_spaces
from reprocess.models import ReprocessRun, Trial
from reprocess.planning.plan import Plan
from reprocess.planning.sampling import SceneSample, sample_scenes
from reprocess.planning.scope import Scope
from reprocess.planning.search_index import SEARCH_INDEX
from reprocess.planning.staleness import select_stale_or_sampled
from reprocess.planning.targets import SCENES
from reprocess.runs.requests import TrialRequest, plan_run, start_run
from reprocess.spec import EffectiveSpec, get_effective_spec
from videos.evaluation.references import ResolvedQuery
from videos.evaluation.saved import list_saved_queries
from videos.models import Video

DEFAULT_SIZE = 100
MAX_SIZE = 5000

NOTHING_STALE = "Nothing is stale, so there is nothing to try. `manage.py cutover --dry-run` compares spaces that are complete."
NOTHING_PENDING = (
    "The stale vectors are in spaces that search already reads, or they are not of scenes. A trial tries new spaces of scenes only: start "
    "the run."
)
MORE_OWNERS = "{more} more owners have stale vectors. The trial covers the {covered} with the most."
OTHER_TARGETS = "{vectors} {kind} vectors ({channel}) are stale. A trial samples scenes only, so their time is not measured."
DOCUMENTS = "{documents} documents of the search index are stale. A trial writes none, so their time is not measured."


class TrialNotNeeded(WrongState):
    """There is nothing to try. The message says why."""


def start_trial(
    scope: Scope,
    *,
    size: int,
    entry_point: str,
    requested_by: User | None,
    max_cost: Decimal | None = None,
    judged: Sequence[ResolvedQuery] = (),
    in_foreground: bool = False,
) -> ReprocessRun:
    """Record a run over a sample of at most `size` scenes of each owner of a scope, which ends with a report, and enqueue it.

    The sample has the scenes that `judged` queries name (default: the owner's saved ones), and stale scenes of every kind. A repeated
    call takes the same sample. With `in_foreground`, the caller works on the run instead. Raise TrialNotNeeded when no new space of
    scenes is stale, and ScopeNotFound for an unknown video or owner.
    """
    spec = get_effective_spec()
    plan = plan_run(scope, force=False, spec=spec)
    if not plan.stale:
        raise TrialNotNeeded(NOTHING_STALE)
    owner_ids = _list_owners(scope, plan)
    samples = {owner_id: sample for owner_id in owner_ids if (sample := _sample_owner(scope, owner_id, spec, size, judged))}
    scene_ids = frozenset().union(*(sample.scene_ids for sample in samples.values()))
    if not scene_ids:
        raise TrialNotNeeded(NOTHING_PENDING)
    return start_run(
        replace(scope, scene_ids=scene_ids),
        force=False,
        entry_point=entry_point,
        requested_by=requested_by,
        max_cost=max_cost,
        automatic_cutover=False,
        spec=spec,
        trial=TrialRequest(size, _count_samples(samples), _list_left_out(plan, len(owner_ids)), store_queries(judged), in_foreground),
    )


def _list_owners(scope: Scope, plan: Plan) -> list[UUID]:
    """Return the owners to sample: for scope all, those that the plan lists."""
    if scope.video_id:
        return list(Video.objects.filter(pk=scope.video_id).values_list("owner_id", flat=True))
    return [owner.owner_id for owner in plan.owners] if scope.owner_id is None else [scope.owner_id]


def _sample_owner(scope: Scope, owner_id: UUID, spec: EffectiveSpec, size: int, judged: Sequence[ResolvedQuery]) -> SceneSample | None:
    """Return the sample of one owner. Return None when no scene is stale in a space that the owner's search does not read."""
    spaces = list_pending_scene_spaces(owner_id, spec)
    scenes = scope.select_targets(SCENES).filter(owner_id=owner_id)
    stale = select_stale_or_sampled(scenes, spaces, Trial.objects.values("run_id"))
    if not spaces:
        return None
    named = list_judged_scenes(judged or list_saved_queries(owner_id, MAX_SAVED_QUERIES))
    known = set(scenes.filter(pk__in=named).values_list("pk", flat=True))
    sample = sample_scenes(stale, [scene_id for scene_id in named if scene_id in known], size)
    return sample if sample.stale else None


def _count_samples(samples: dict[UUID, SceneSample]) -> dict[str, Any]:
    return {
        str(owner_id): {"stale": sample.stale, "judged": sample.judged, "judged_sampled": sample.judged_sampled}
        for owner_id, sample in samples.items()
    }


def _list_left_out(plan: Plan, owners: int) -> list[str]:
    left_out = []
    if plan.stale_owners > owners:
        left_out.append(MORE_OWNERS.format(more=plan.stale_owners - owners, covered=owners))
    others = (channel for channel in plan.channels if channel.target_type != SCENES.plural and channel.stale)
    left_out.extend(OTHER_TARGETS.format(vectors=other.stale, kind=other.target_type, channel=other.channel) for other in others)
    documents = sum(channel.stale for channel in plan.channels if channel.channel == SEARCH_INDEX)
    if documents:
        left_out.append(DOCUMENTS.format(documents=documents))
    return left_out
