"""Search the vector channels: embed the query with the model of each space, and find the nearest scenes."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import structlog
from django.db.models import F, QuerySet

from heimdex.database.any_of import IsAnyOf
from heimdex.database.time_budget import UNLIMITED, TimeBudget, TimeBudgetExceeded
from heimdex.embedders.base import Embedder
from heimdex.embedders.snapshot import load_embedder
from heimdex.embedders.vectors import Vectors
from heimdex.errors import ModelInputError, ModelUnavailable
from videos.channels import get_channel
from videos.models import ActiveSpace, EmbeddingSpace, Scene
from videos.search.context import ScenePlace, add_context
from videos.search.fusion import RankedScene, rank_scenes
from videos.search.nearest import find_nearest, measure_similarities

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
class _Query:
    """A query as the model of a space embeds it."""

    space: EmbeddingSpace
    model: Embedder
    vector: Vectors


def list_active_spaces(owner_id: UUID) -> list[EmbeddingSpace]:
    """Return the spaces that the owner's search reads. One query reads them all, so that they belong to one generation."""
    return [active.space for active in ActiveSpace.objects.filter(owner_id=owner_id).select_related("space").order_by("channel")]


def search_spaces(
    scenes: QuerySet[Scene],
    owner_id: UUID,
    spaces: Sequence[EmbeddingSpace],
    text: str,
    limit: int,
    *,
    language: str = "",
    also: Collection[UUID] = (),
    is_restricted: bool = False,
    neighbors: QuerySet[Scene] | None = None,
    budget: TimeBudget = UNLIMITED,
) -> SpacePools:
    """Search every space for the nearest `limit` scenes of an owner, and rate all candidates in every space.

    The candidates are the nearest scenes of all spaces whose similarity is above the model's floor, and `also`, which other channels
    found. So the order of two candidates does not depend on which channel found them. `language` is that of the text, if known: models
    that do not understand it count less. `is_restricted` states that `scenes` are only a few of the owner's scenes, and `neighbors` limits
    the scenes whose vectors are context. Spaces that the budget does not suffice for are left out.
    """
    pools = SpacePools({}, [])
    queries = _embed_query(spaces, text, pools.notices)
    candidates = set(also)
    searched = []
    for query in queries:
        with _report_slowness(query.space, pools.notices), budget.limit_statements():
            nearest = find_nearest(scenes, owner_id, query.space, query.vector, limit, is_restricted=is_restricted)
            candidates |= {scene_id for scene_id, _, similarity in nearest if query.model.rate_similarity(similarity) >= 0}
            searched.append(query)
    places: list[ScenePlace] = []
    for query in searched:
        with _report_slowness(query.space, pools.notices), budget.limit_statements():
            if not places:
                places = _list_places(owner_id, candidates, neighbors)
            weight = 1.0 if query.model.understands(language) else FOREIGN_WEIGHT
            pools.by_space[query.space.pk] = _rate_candidates(query, candidates, places, weight)
    return pools


def _embed_query(spaces: Sequence[EmbeddingSpace], text: str, notices: list[str]) -> list[_Query]:
    queries: list[_Query] = []
    vectors: dict[Embedder, Vectors] = {}
    for space in spaces:
        if not get_channel(space.channel).searched_by_text:
            continue
        try:
            model = load_embedder(space.embedder)
            if model not in vectors:
                vectors[model] = model.embed_queries([text])
        except (ModelUnavailable, ModelInputError) as error:
            log.warning("Could not embed a query", channel=space.channel, space=str(space.pk), reason=str(error))
            notices.append(LEFT_OUT.format(channel=space.channel, reason=error))
            continue
        queries.append(_Query(space, model, vectors[model][0]))
    return queries


@contextmanager
def _report_slowness(space: EmbeddingSpace, notices: list[str]) -> Iterator[None]:
    try:
        yield
    except TimeBudgetExceeded:
        log.warning("Could not search a space in time", channel=space.channel, space=str(space.pk))
        notices.append(LEFT_OUT.format(channel=space.channel, reason=TOO_SLOW))


def _list_places(owner_id: UUID, candidates: Collection[UUID], neighbors: QuerySet[Scene] | None) -> list[ScenePlace]:
    """Return the places of the candidates and of their neighbors, of which only some may count."""
    scenes = Scene.objects.filter(owner_id=owner_id) if neighbors is None else neighbors
    near = scenes.filter(
        IsAnyOf("video__scenes__id", candidates), video__scenes__index__gte=F("index") - 1, video__scenes__index__lte=F("index") + 1
    )
    return [ScenePlace(*row) for row in near.order_by().values_list("pk", "video_id", "index").distinct()]


def _rate_candidates(query: _Query, candidates: Collection[UUID], places: Sequence[ScenePlace], weight: float) -> list[RankedScene]:
    channel = query.space.channel
    has_context = get_channel(channel).has_context
    similarities = measure_similarities(query.space, query.vector, [place.scene_id for place in places] if has_context else candidates)
    in_context = add_context(similarities, places) if has_context else similarities
    ordered = sorted(
        (-similarities[place.scene_id], place.video_id, place.index, place.scene_id)
        for place in places
        if place.scene_id in candidates and place.scene_id in similarities
    )
    return rank_scenes(
        channel,
        (
            (scene_id, video_id, -negative, weight * query.model.rate_similarity(in_context[scene_id]))
            for negative, video_id, _, scene_id in ordered
        ),
        {scene_id for scene_id in candidates if query.model.rate_similarity(similarities.get(scene_id, 0.0)) < 0},
    )
