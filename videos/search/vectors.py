"""Search the vector channels: embed the query with the model of each space, and find the nearest scenes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog
from django.db.models import QuerySet

from heimdex.database.time_budget import UNLIMITED, TimeBudget, TimeBudgetExceeded
from heimdex.embedders.base import Embedder
from heimdex.embedders.snapshot import load_embedder
from heimdex.embedders.vectors import Vectors
from heimdex.errors import ModelInputError, ModelUnavailable
from videos.channels import get_channel
from videos.models import ActiveSpace, EmbeddingSpace, Scene
from videos.search.fusion import RankedScene, rank_scenes
from videos.search.nearest import find_nearest

log = structlog.get_logger(__name__)

LEFT_OUT = "The {channel} channel was left out: {reason}"
TOO_SLOW = "it takes too long at the moment. Try again later, or search in one video."


@dataclass(frozen=True)
class SpacePools:
    """The ranked scenes of each space, by the space's id, and a sentence for each space that could not be searched."""

    by_space: dict[UUID, list[RankedScene]]
    notices: list[str]

    def select(self, spaces: Iterable[EmbeddingSpace]) -> list[list[RankedScene]]:
        """Return the pools of some spaces."""
        return [self.by_space[space.pk] for space in spaces if space.pk in self.by_space]


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
    is_restricted: bool = False,
    budget: TimeBudget = UNLIMITED,
) -> SpacePools:
    """Return the nearest `limit` scenes of an owner in every space. Scenes below the model's similarity floor are noise and left out.

    `is_restricted` states that `scenes` are only a few of the owner's scenes. Spaces that the budget does not suffice for are left out.
    """
    pools = SpacePools({}, [])
    queries: dict[Embedder, Vectors] = {}
    for space in spaces:
        if not get_channel(space.channel).searched_by_text:
            continue
        try:
            model = load_embedder(space.embedder)
            if model not in queries:
                queries[model] = model.embed_queries([text])
        except (ModelUnavailable, ModelInputError) as error:
            log.warning("Could not embed a query", channel=space.channel, space=str(space.pk), reason=str(error))
            pools.notices.append(LEFT_OUT.format(channel=space.channel, reason=error))
            continue
        try:
            with budget.limit_statements():
                nearest = find_nearest(scenes, owner_id, space, queries[model][0], limit, is_restricted=is_restricted)
        except TimeBudgetExceeded:
            log.warning("Could not search a space in time", channel=space.channel, space=str(space.pk))
            pools.notices.append(LEFT_OUT.format(channel=space.channel, reason=TOO_SLOW))
            continue
        pools.by_space[space.pk] = rank_scenes(space.channel, (row for row in nearest if row[2] >= model.similarity_floor))
    return pools
