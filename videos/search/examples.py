"""Search by example: scenes that are like a scene, or like an image."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np

from heimdex.database.time_budget import TimeBudgetExceeded
from heimdex.embedders.base import ImageEmbedder
from heimdex.embedders.snapshot import load_embedder
from heimdex.embedders.vectors import Vectors
from heimdex.errors import ModelUnavailable, Unavailable
from videos.channels import EXAMPLE, KEYFRAME, get_channel
from videos.models import EmbeddingSpace, SceneEmbedding
from videos.search.conditions import SceneSelection
from videos.search.fusion import rank_scenes
from videos.search.modes import get_kinds, is_searched
from videos.search.nearest import NearestVectors
from videos.search.packed_vectors import find_packed
from videos.search.pools import POOL_SIZE, Pools, SearchContext
from videos.search.vectors import LEFT_OUT, TOO_SLOW, list_active_spaces

if TYPE_CHECKING:
    from PIL.Image import Image

NO_IMAGE_VECTORS = "Your videos have no image vectors yet, so an image cannot be searched. Wait until they are processed."


@dataclass(frozen=True)
class Example:
    """What scenes should be like: an image, or a scene with all its vectors. `digest` tells examples apart."""

    digest: str
    image: "Image | None" = None
    scene_id: UUID | None = None


def add_example(pools: Pools, context: SearchContext, example: Example, selection: SceneSelection) -> None:
    """Rank the selected scenes by their nearness to an example. Raise Unavailable without the vectors or the model that an image needs."""
    if example.image is not None:
        _add_image(pools, context, example.image, selection)
    elif example.scene_id is not None:
        _add_similar(pools, context, example.scene_id, selection)


def _add_similar(pools: Pools, context: SearchContext, scene_id: UUID, selection: SceneSelection) -> None:
    """Compare with a scene in each channel of the mode. Channels about whole videos do not count."""
    others = replace(selection, scenes=selection.scenes.exclude(pk=scene_id))
    spaces = {
        space.pk: space
        for space in list_active_spaces(context.owner_id)
        if get_channel(space.channel).searched_by_text and get_kinds(space.channel) and is_searched(space.channel, context.mode)
    }
    embedded = SceneEmbedding.objects.filter(scene=scene_id, space__in=spaces, state=SceneEmbedding.State.EMBEDDED)
    for row in embedded.order_by("space__channel"):
        space = spaces[row.space_id]
        _add_nearest(pools, context, others, space, np.asarray(row.vector, np.float32), space.channel)


def _add_image(pools: Pools, context: SearchContext, image: "Image", selection: SceneSelection) -> None:
    spaces = [space for space in list_active_spaces(context.owner_id) if KEYFRAME in get_channel(space.channel).sources]
    if not spaces:
        raise Unavailable(NO_IMAGE_VECTORS)
    for space in spaces:
        try:
            model = load_embedder(space.embedder)
            if isinstance(model, ImageEmbedder):
                _add_nearest(pools, context, selection, space, model.embed_images([image])[0], EXAMPLE)
        except ModelUnavailable as error:
            raise Unavailable(str(error)) from error


def _add_nearest(
    pools: Pools, context: SearchContext, selection: SceneSelection, space: EmbeddingSpace, vector: Vectors, channel: str
) -> None:
    try:
        with context.explanation.measure(channel) as candidates, context.budget.limit_statements():
            packed = find_packed(context.owner_id, [space]).get(space.pk)
            rows = NearestVectors(context.owner_id, selection.scenes, space, vector, selection.is_restricted, packed).find(POOL_SIZE)
            # Two scenes are more alike than a query and a scene, so that no floor of a model holds.
            pools.ranked.append(rank_scenes(channel, ((*row, row[2]) for row in _drop_opposites(rows))))
            candidates[channel] = len(pools.ranked[-1])
    except TimeBudgetExceeded:
        pools.notices.append(LEFT_OUT.format(channel=channel, reason=TOO_SLOW))


def _drop_opposites(rows: list[tuple[UUID, UUID, float]]) -> list[tuple[UUID, UUID, float]]:
    """Return the scenes that have anything in common with the example. Pure."""
    return [row for row in rows if row[2] > 0]
