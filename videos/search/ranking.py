"""Rank or list the scenes that answer a query."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from heimdex.database.time_budget import TimeBudgetExceeded
from videos.models import Scene
from videos.search.conditions import SceneSelection
from videos.search.evidence import keep_evidence
from videos.search.examples import add_example
from videos.search.fusion import FusedScene, fuse, limit_per_video, trust_matches
from videos.search.listing import Sort, list_page, sort_scenes
from videos.search.modes import Mode
from videos.search.parsed_query import ParsedQuery
from videos.search.passages import ScenePosition, join_neighbors
from videos.search.pools import POOL_SIZE, SearchContext, collect_pools
from videos.search.requests import SearchRequest
from videos.search.sequences import Interval, join_sequences
from videos.search.vectors import LEFT_OUT, TOO_SLOW

# At most so many scenes without words or people are paired with others that follow them.
MAX_LISTED = 1000
FURTHER_LEFT_OUT = "Further scenes with the phrases were left out: " + TOO_SLOW
NOT_JOINED = "Neighboring scenes were not joined: " + TOO_SLOW


@dataclass
class Ranking:
    """Ranked scenes, best first, the scenes that follow some of them, and sentences about what was left out.

    `passages` has the scenes of each passage, in order of time, by its best scene.
    """

    scenes: list[FusedScene]
    notices: list[str] = field(default_factory=list)
    next_scenes: dict[UUID, UUID] = field(default_factory=dict)
    passages: dict[UUID, tuple[UUID, ...]] = field(default_factory=dict)


def rank_query(
    context: SearchContext, query: ParsedQuery, selection: SceneSelection, person_ids: tuple[UUID, ...], request: SearchRequest
) -> Ranking:
    """Rank the selected scenes by words, people and an example. Scenes with the required terms that no channel ranks come last."""
    pools = collect_pools(context, query.text, selection, person_ids, every_person=request.filters.every_person)
    if request.example:
        add_example(pools, context, request.example, selection)
    ranking = Ranking(fuse(pools.ranked, pools.emphasis), pools.notices)
    if not request.example and (not query.text or context.mode is Mode.PEOPLE):
        ranking.scenes = trust_matches(ranking.scenes)
    if request.evidence:
        ranking.scenes = keep_evidence(context.owner_id, ranking.scenes, query.text, request.evidence)
    elif query.requires_content:
        _add_further(context, ranking, selection)
    return ranking


def list_selection(context: SearchContext, selection: SceneSelection) -> Ranking:
    """Return the newest of the selected scenes without a ranking, for a query that has neither words nor people."""
    try:
        with context.budget.limit_statements():
            _, rows = list_page(selection.scenes, Sort.NEWEST, None, MAX_LISTED)
            return Ranking([FusedScene(scene_id, video_id, 0.0) for scene_id, video_id in rows])
    except TimeBudgetExceeded:
        return Ranking([], [LEFT_OUT.format(channel="list", reason=TOO_SLOW)])


def join_rankings(first: Ranking, following: Ranking, within_s: float) -> Ranking:
    """Return the scenes of the first ranking that a scene of the other comes after within some seconds."""
    scene_ids = {scene.scene_id for scene in (*first.scenes, *following.scenes)}
    rows = Scene.objects.filter(pk__in=scene_ids).values_list("pk", "start_s", "end_s")
    times = {scene_id: Interval(start_s, end_s) for scene_id, start_s, end_s in rows}
    scenes, next_scenes = join_sequences(first.scenes, following.scenes, times, within_s)
    return Ranking(scenes, list(dict.fromkeys([*first.notices, *following.notices])), next_scenes)


def join_passages(context: SearchContext, ranking: Ranking) -> Ranking:
    """Return a ranking in which neighboring scenes are joined into passages, with one query."""
    scene_ids = [scene.scene_id for scene in ranking.scenes]
    try:
        with context.explanation.measure("passages"), context.budget.limit_statements():
            rows = Scene.objects.filter(pk__in=scene_ids, owner_id=context.owner_id).values_list("pk", "index", "start_s", "end_s")
            positions = {scene_id: ScenePosition(index, start_s, end_s) for scene_id, index, start_s, end_s in rows}
    except TimeBudgetExceeded:
        return replace(ranking, notices=[*ranking.notices, NOT_JOINED])
    scenes, passages = join_neighbors(ranking.scenes, positions)
    return replace(ranking, scenes=scenes, passages=passages)


def order_scenes(scenes: Sequence[FusedScene], sort: Sort, per_video: int | None) -> list[FusedScene]:
    """Return the best `per_video` scenes of each video (None: all) in an order."""
    kept = list(scenes) if per_video is None else limit_per_video(scenes, per_video)
    if sort is Sort.RELEVANCE:
        return kept
    by_id = {scene.scene_id: scene for scene in kept}
    return [by_id[scene_id] for scene_id in sort_scenes(by_id, sort)]


def _add_further(context: SearchContext, ranking: Ranking, selection: SceneSelection) -> None:
    ranked = [scene.scene_id for scene in ranking.scenes]
    if len(ranked) >= POOL_SIZE:
        return
    try:
        with context.explanation.measure("phrases") as candidates, context.budget.limit_statements():
            _, rows = list_page(selection.scenes.exclude(pk__in=ranked), Sort.NEWEST, None, POOL_SIZE - len(ranked))
            further = [FusedScene(scene_id, video_id, 0.0) for scene_id, video_id in rows]
            ranking.scenes += further
            candidates["phrases"] = len(further)
    except TimeBudgetExceeded:
        ranking.notices.append(FURTHER_LEFT_OUT)
