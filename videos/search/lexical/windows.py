"""Let the words of a scene count in the scenes near it, because an answer often runs over a cut. Pure.

Measured on the meetings of set A (nDCG@10): in the whole library .275 → .373, within the right meeting .414 → .516.
"""

from collections.abc import Iterator, Mapping
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
    """Return, for each scene with a value in its window, the weighted sum of the values. Windows do not cross videos."""
    sums: dict[Place, float] = {}
    for (video, index), value in values.items():
        for near, weight in iter_window(index):
            sums[video, near] = sums.get((video, near), 0.0) + weight * value
    return sums
