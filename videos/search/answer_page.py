"""Find one page of the scenes that answer a request: ranked by words and people, or listed where only filters are given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from heimdex.database.time_budget import TimeBudgetExceeded
from heimdex.errors import Refused
from videos.channels import PERSON
from videos.models import Scene
from videos.search.conditions import SceneSelection, SearchFilters, list_people, select_scenes
from videos.search.cursors import Position
from videos.search.evidence import apply_mode
from videos.search.facets import Facets, count_facets
from videos.search.fusion import FusedScene
from videos.search.listing import list_page
from videos.search.modes import Mode, is_searched
from videos.search.parsed_query import ParsedQuery
from videos.search.pools import SearchContext
from videos.search.ranking import Ranking, join_passages, join_rankings, list_selection, order_scenes, rank_query
from videos.search.ranking_model import get_ranking_model
from videos.search.requests import SearchRequest
from videos.search.suggestions import read_names
from videos.search.vectors import LEFT_OUT, TOO_SLOW

NO_SEQUENCE = "A query with then: cannot be combined with an image or a scene. Remove one of them."
NO_EVIDENCE = "A kind of evidence can be required only in a search for words or people. Add words, or leave it out."


@dataclass(frozen=True)
class AnswerPage:
    """Scenes of an answer from the index `start` on, the total number of scenes, and whether any of them fits the words well.

    `passages` has the scenes of each passage, which counts as one, by its best scene. `person_ids` are the people that are asked for.
    """

    scenes: Sequence[FusedScene] = ()
    start: int = 0
    total: int = 0
    notices: Sequence[str] = ()
    next_scenes: Mapping[UUID, UUID] = field(default_factory=dict)
    passages: Mapping[UUID, Sequence[UUID]] = field(default_factory=dict)
    person_ids: Sequence[UUID] = ()
    facets: Facets | None = None
    fits: bool = True

    @property
    def has_next(self) -> bool:
        """Whether scenes follow those of this page."""
        return bool(self.scenes) and self.start + len(self.scenes) < self.total

    def find_next(self, as_of: datetime) -> Position:
        """Return the start of the next page."""
        return Position(as_of, self.start + len(self.scenes), self.scenes[-1].scene_id)


def find_page(context: SearchContext, request: SearchRequest, query: ParsedQuery, position: Position | None) -> AnswerPage:
    """Return a page of the answer. A request that asks for nothing has no answer."""
    if request.mode is Mode.PEOPLE:
        query = read_names(context.owner_id, query)
    if query.next_query and request.example:
        raise Refused(NO_SEQUENCE, "q")
    if query.is_empty and request.filters == SearchFilters() and request.video_id is None and request.example is None:
        return AnswerPage()
    if query.next_query or query.text or request.example or _ranks_people(request, query):
        return _rank_page(context, request, query, position)
    if request.evidence:
        raise Refused(NO_EVIDENCE, "evidence")
    return _list_page(context, request, query, position)


def _rank_page(context: SearchContext, request: SearchRequest, query: ParsedQuery, position: Position | None) -> AnswerPage:
    ranking = _rank(context, request, query, position)
    # A pair of scenes, and a scene like another, is found as such.
    if request.join and not query.next_query and not request.example:
        ranking = join_passages(context, ranking)
    scenes = order_scenes(ranking.scenes, request.sort, None if request.video_id else request.per_video)
    scene_ids = [scene.scene_id for scene in scenes]
    start = position.find_start(scene_ids) if position else 0
    page = AnswerPage(
        scenes[start : start + request.limit],
        start,
        len(scenes),
        ranking.notices,
        ranking.next_scenes,
        ranking.passages,
        list_people(query, request.filters),
        fits=not _must_convince(query) or any(scene.probability >= get_ranking_model().likely for scene in scenes),
    )
    counted = [scene_id for best in scene_ids for scene_id in ranking.passages.get(best, (best,))]
    return _add_facets(context, request, page, SceneSelection(Scene.objects.filter(pk__in=counted), is_restricted=True))


def _rank(context: SearchContext, request: SearchRequest, query: ParsedQuery, position: Position | None) -> Ranking:
    if query.next_query and query.within_s is not None:
        first = _rank(context, request, replace(query, next_query=None), position)
        return join_rankings(first, _rank(context, request, query.next_query, position), query.within_s)
    selection = _select(context, request, query, position)
    people = list_people(query, request.filters)
    if not query.text and not request.example and not (people and is_searched(PERSON, request.mode)):
        return list_selection(context, selection)
    return rank_query(context, query, selection, people, request)


def _list_page(context: SearchContext, request: SearchRequest, query: ParsedQuery, position: Position | None) -> AnswerPage:
    selection = _select(context, request, query, position)
    try:
        with context.explanation.measure("list") as candidates, context.budget.limit_statements():
            start, rows = list_page(selection.scenes, request.sort, position, request.limit)
            scenes = [FusedScene(scene_id, video_id, 0.0) for scene_id, video_id in rows]
            total = candidates["list"] = selection.scenes.count()
    except TimeBudgetExceeded:
        return AnswerPage(notices=[LEFT_OUT.format(channel="list", reason=TOO_SLOW)])
    return _add_facets(context, request, AnswerPage(scenes, start, total), selection)


def _select(context: SearchContext, request: SearchRequest, query: ParsedQuery, position: Position | None) -> SceneSelection:
    as_of = position.as_of if position else None
    return select_scenes(context.owner_id, apply_mode(query, request.mode), request.filters, video_id=request.video_id, as_of=as_of)


def _ranks_people(request: SearchRequest, query: ParsedQuery) -> bool:
    """Return whether scenes are ranked by how probably they show the people; in another order all of them are listed."""
    return bool(list_people(query, request.filters)) and is_searched(PERSON, request.mode) and request.sort.is_ranking


def _must_convince(query: ParsedQuery) -> bool:
    """Return whether scenes are found by likeness alone. Those with a required term, or with a person who is asked for, fit."""
    return bool(query.text) and not query.requires_content and not query.person_ids


def _add_facets(context: SearchContext, request: SearchRequest, page: AnswerPage, selection: SceneSelection) -> AnswerPage:
    if not request.with_facets:
        return page
    try:
        with context.explanation.measure("facets"), context.budget.limit_statements():
            return replace(page, facets=count_facets(context.owner_id, selection.scenes))
    except TimeBudgetExceeded:
        return replace(page, notices=[*page.notices, LEFT_OUT.format(channel="facets", reason=TOO_SLOW)])
