"""Let the words of a scene count in the scenes near it, because an answer often runs over a cut. Pure.

Measured on the meetings of set A (nDCG@10): in the whole library .275 → .373, within the right meeting .414 → .516.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from math import fsum
from typing import TypeAlias
from uuid import UUID

# The weight of a word by its distance in scenes.
WINDOW = (1.0, 0.5, 0.3, 0.15)


def iter_window(index: int) -> Iterator[tuple[int, float]]:
    """Yield the indexes of the scenes around a scene (itself included, none below 0) and their weights."""
    yield index, WINDOW[0]
    for distance, weight in enumerate(WINDOW[1:], start=1):
        yield index + distance, weight
        if index >= distance:
            yield index - distance, weight


# A video and the index of a scene in it.
Place: TypeAlias = tuple[UUID, int]


def spread(values: Mapping[Place, float]) -> dict[Place, float]:
    """Return, for each scene with a value in its window, the weighted sum of the values. Windows do not cross videos.

    The sums do not depend on the order of the values, so that equal scenes are equal on every page of an answer.
    """
    parts: defaultdict[Place, list[float]] = defaultdict(list)
    for (video, index), value in values.items():
        for near, weight in iter_window(index):
            parts[video, near].append(weight * value)
    return {place: fsum(weighted) for place, weighted in parts.items()}
