"""The scenes just before and after a scene, as context of what is said in it: an answer often runs over a cut. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

# The similarity of each neighbor counts this much beside the scene's own. On the meetings of set A, nDCG@10 within a meeting rises from
# 0.512 to 0.529 at 0.2, and more neighbors or a larger weight cost R@1.
NEIGHBOR_WEIGHT = 0.2


@dataclass(frozen=True)
class ScenePlace:
    """Where a scene is: its video, and its number there."""

    scene_id: UUID
    video_id: UUID
    index: int


def add_context(similarities: Mapping[UUID, float], places: Iterable[ScenePlace], weight: float = NEIGHBOR_WEIGHT) -> dict[UUID, float]:
    """Add to each similarity those of the scenes before and after it in its video, with a weight. A scene without a similarity adds 0."""
    by_place = {(place.video_id, place.index): place for place in places}
    sums = {}
    for (video_id, index), place in by_place.items():
        if place.scene_id in similarities:
            neighbors = [by_place[key] for key in ((video_id, index - 1), (video_id, index + 1)) if key in by_place]
            sums[place.scene_id] = similarities[place.scene_id] + weight * sum(
                similarities.get(neighbor.scene_id, 0.0) for neighbor in neighbors
            )
    return sums
