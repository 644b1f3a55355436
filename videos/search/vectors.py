"""Search the vector channels: embed the query with the model of each space, and find the nearest scenes."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import structlog
from django.db.models import OuterRef, QuerySet, Subquery

from heimdex.database.any_of import IsAnyOf
from heimdex.database.parallel import RequestPart
from heimdex.database.time_budget import UNLIMITED, Deadline, TimeBudget, TimeBudgetExceeded
from heimdex.embedders.base import Embedder
from heimdex.embedders.snapshot import load_embedder
from heimdex.embedders.vectors import Vectors
from heimdex.errors import ModelInputError, ModelUnavailable
from videos.channels import get_channel
from videos.models import ActiveSpace, EmbeddingSpace, Scene
from videos.search.context import ScenePlace, add_context
from videos.search.fusion import RankedScene, rank_scenes
from videos.search.nearest import SPARE, NearestVectors, RankedVectors, check_scenes, find_outdated, measure_similarities
from videos.search.packed_vectors import find_packed

log = structlog.get_logger(__name__)

LEFT_OUT = "The {channel} channel was left out: {reason}"
# The certainty of a model that does not know the query's language counts so much: names and words that languages share stay useful. On
# queries and speech in five other languages (set D) with the English model, R@1 rises from 0.68 to 0.72 in the worst of them.
FOREIGN_WEIGHT = 0.3
TOO_SLOW = "it takes too long at the moment. Try again later, or search in one video."


@dataclass(frozen=True)
class SpacePools:
    """The ranked scenes of each space, by the space's id, and a sentence for each space that could not be searched."""

    by_space: dict[UUID, list[RankedScene]]
    notices: list[str]

    def select(self, spaces: Iterable[EmbeddingSpace]) -> list[list[RankedScene]]:
        """Return the pools of some spaces."""
        return [self.by_space[space.pk] for space in spaces if space.pk in self.by_space]


@dataclass(frozen=True)
class VectorSearch:
    """A search for a text in the spaces of an owner, for the `limit` nearest of some scenes in each.

    `language` is that of the text, if known: models that do not understand it count less. `is_restricted` states that `scenes` are only
    some of the owner's scenes, and `neighbors` limits the scenes whose vectors are context.
    """

    owner_id: UUID
    scenes: QuerySet[Scene]
    spaces: Sequence[EmbeddingSpace]
    text: str
    limit: int
    language: str = ""
    is_restricted: bool = False
    neighbors: QuerySet[Scene] | None = None


@dataclass(frozen=True)
class _Query:
    """A text as one model embeds it, and the spaces with vectors of this model."""

    model: Embedder
    vector: Vectors
    spaces: list[EmbeddingSpace]


@dataclass(frozen=True)
class _RankedSpace:
    """A space with the vectors that are nearest to a query."""

    query: _Query
    nearest: NearestVectors
    vectors: RankedVectors


def list_active_spaces(owner_id: UUID) -> list[EmbeddingSpace]:
    """Return the spaces that the owner's search reads. One query reads them all, so that they belong to one generation."""
    return [active.space for active in ActiveSpace.objects.filter(owner_id=owner_id).select_related("space").order_by("channel")]


def search_spaces(search: VectorSearch, find_others: Callable[[Deadline], Collection[UUID]], budget: TimeBudget = UNLIMITED) -> SpacePools:
    """Search every space for the nearest scenes, and rate all candidates in every space.

    The candidates are the nearest scenes of all spaces whose similarity is above the model's floor, and those that other channels find
    beside them. So the order of two candidates does not depend on which channel found them. Spaces that the budget does not suffice for
    are left out.
    """
    pools = SpacePools({}, [])
    queries = _embed_query(search, pools.notices)
    ranked: list[_RankedSpace] = []
    with budget.share() as deadline:
        parts = _start_parts(search, queries, deadline)
        try:
            others = find_others(deadline)
            for query, nearest, part in parts:
                try:
                    ranked.append(_RankedSpace(query, nearest, part.finish(deadline.patience_s)))
                except (TimeBudgetExceeded, TimeoutError):
                    _leave_out(nearest.space, pools.notices)
        finally:
            # After an error, nobody waits for the others.
            for _, _, part in parts:
                part.cancel()
    try:
        with budget.limit_statements():
            pools.by_space.update(_rate(search, ranked, others))
    except TimeBudgetExceeded:
        for space in ranked:
            _leave_out(space.nearest.space, pools.notices)
    return pools


def _embed_query(search: VectorSearch, notices: list[str]) -> list[_Query]:
    queries: dict[Embedder, _Query] = {}
    for space in search.spaces:
        if not get_channel(space.channel).searched_by_text:
            continue
        try:
            model = load_embedder(space.embedder)
            if model not in queries:
                queries[model] = _Query(model, model.embed_queries([search.text])[0], [])
            queries[model].spaces.append(space)
        except (ModelUnavailable, ModelInputError) as error:
            log.warning("Could not embed a query", channel=space.channel, space=str(space.pk), reason=str(error))
            notices.append(LEFT_OUT.format(channel=space.channel, reason=error))
    return list(queries.values())


def _start_parts(
    search: VectorSearch, queries: Sequence[_Query], deadline: Deadline
) -> list[tuple[_Query, NearestVectors, RequestPart[RankedVectors]]]:
    packed = find_packed(search.owner_id, [space for query in queries for space in query.spaces])

    def start(query: _Query, space: EmbeddingSpace) -> tuple[_Query, NearestVectors, RequestPart[RankedVectors]]:
        nearest = NearestVectors(search.owner_id, search.scenes, space, query.vector, search.is_restricted, packed.get(space.pk))
        return query, nearest, RequestPart(partial(_rank, nearest, SPARE * search.limit, deadline))

    return [start(query, space) for query in queries for space in query.spaces]


def _rank(nearest: NearestVectors, count: int, deadline: Deadline) -> RankedVectors:
    with deadline.limit_statements():
        return nearest.rank(count)


def _leave_out(space: EmbeddingSpace, notices: list[str]) -> None:
    log.warning("Could not search a space in time", channel=space.channel, space=str(space.pk))
    notices.append(LEFT_OUT.format(channel=space.channel, reason=TOO_SLOW))


def _rate(search: VectorSearch, ranked: Sequence[_RankedSpace], others: Collection[UUID]) -> dict[UUID, list[RankedScene]]:
    """Return the ranks of all candidates in each space."""
    candidates = _list_candidates(search, ranked, others)
    places = _list_places(search, candidates)
    outdated = find_outdated(search.owner_id, [space.nearest.space for space in ranked], [place.scene_id for place in places])
    similarities: dict[UUID, dict[UUID, float]] = {}
    for model, query in {space.query.model: space.query for space in ranked}.items():
        own = [space.nearest.space for space in ranked if space.query.model == model]
        for has_context, scene_ids in ((False, candidates), (True, [place.scene_id for place in places])):
            if group := [space for space in own if get_channel(space.channel).has_context is has_context]:
                similarities |= measure_similarities(group, query.vector, scene_ids)
    pools = {}
    for space in ranked:
        key = space.nearest.space.pk
        for scene_id in outdated[key]:
            similarities[key].pop(scene_id, None)
        weight = 1.0 if space.query.model.understands(search.language) else FOREIGN_WEIGHT
        pools[key] = _rate_candidates(space, similarities[key], candidates, places, weight)
    return pools


def _list_candidates(search: VectorSearch, ranked: Sequence[_RankedSpace], others: Collection[UUID]) -> set[UUID]:
    nearest_ids = {scene_id for space in ranked for scene_id, _ in space.vectors.scenes}
    checked = check_scenes(search.scenes, search.owner_id, [space.nearest.space for space in ranked], nearest_ids)
    candidates = set(others)
    for space in ranked:
        near = checked.keep(space.nearest.space, space.vectors, search.limit)
        if len(near) < search.limit and not space.vectors.is_complete:
            near = space.nearest.find(search.limit, space.vectors)
        candidates |= {scene_id for scene_id, _, similarity in near if space.query.model.rate_similarity(similarity) >= 0}
    return candidates


def _list_places(search: VectorSearch, candidates: Collection[UUID]) -> list[ScenePlace]:
    """Return the places of the candidates and of the scenes before and after them, of which only some may count."""
    neighbors = Scene.objects.filter(owner_id=search.owner_id) if search.neighbors is None else search.neighbors
    # Subqueries are looked up for each candidate. A join may read all scenes of the owner.
    before, after = (
        Subquery(neighbors.filter(video=OuterRef("video"), index=OuterRef("index") + step).order_by().values("pk")) for step in (-1, 1)
    )
    rows = Scene.objects.filter(IsAnyOf("pk", candidates)).order_by().values_list("pk", "video_id", "index", before, after)
    places = {}
    for scene_id, video_id, index, before_id, after_id in rows:
        near = ((before_id, index - 1), (scene_id, index), (after_id, index + 1))
        places.update({near_id: ScenePlace(near_id, video_id, near_index) for near_id, near_index in near if near_id})
    return list(places.values())


def _rate_candidates(
    space: _RankedSpace, similarities: Mapping[UUID, float], candidates: Collection[UUID], places: Sequence[ScenePlace], weight: float
) -> list[RankedScene]:
    model, channel = space.query.model, get_channel(space.nearest.space.channel)
    in_context = add_context(similarities, places) if channel.has_context else similarities
    ordered = sorted(
        (-similarities[place.scene_id], place.video_id, place.index, place.scene_id)
        for place in places
        if place.scene_id in candidates and place.scene_id in similarities
    )
    return rank_scenes(
        channel.name,
        (
            (scene_id, video_id, -negative, weight * model.rate_similarity(in_context[scene_id]))
            for negative, video_id, _, scene_id in ordered
        ),
        {scene_id for scene_id in candidates if model.rate_similarity(similarities.get(scene_id, 0.0)) < 0},
    )
