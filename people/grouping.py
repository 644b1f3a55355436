"""Put faces that look like one person together. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heimdex.embedders.vectors import Vectors, normalized


@dataclass(frozen=True, eq=False)
class Grouping:
    """Which group each face belongs to: the position of one that was there, or, from their number on, of a new one."""

    places: NDArray[np.intp]
    new_groups: int


def grouped(faces: Vectors, groups: Vectors, least: float) -> Grouping:
    """Put each face to the likest group at or above a cosine of `least`; those that fit none form new groups among themselves.

    Both are unit vectors, (n, dimensions). New groups are found by average linkage (scikit-learn), which, unlike single linkage, does not
    chain two people over faces that are like both. It takes n² numbers of memory for the n faces that fit no group.
    """
    places = np.full(len(faces), -1, dtype=np.intp)
    if len(groups):
        similarities = faces @ groups.T
        likest = similarities.argmax(axis=1)
        fits = similarities[np.arange(len(faces)), likest] >= least
        places[fits] = likest[fits]
    left = np.flatnonzero(places < 0)
    labels = _clusters(faces[left], least)
    places[left] = len(groups) + labels
    return Grouping(places, int(labels.max()) + 1 if len(labels) else 0)


def merged_mean(mean: NDArray[np.float32], size: int, faces: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return the normalised mean of a group of `size` faces with this mean, and of some more faces."""
    total = mean * size + np.sum(np.stack(list(faces)), axis=0)
    unit: NDArray[np.float32] = normalized(total[np.newaxis])[0]
    return unit


def _clusters(faces: Vectors, least: float) -> NDArray[np.intp]:
    if len(faces) < 2:
        return np.zeros(len(faces), dtype=np.intp)
    from sklearn.cluster import AgglomerativeClustering

    clustering = AgglomerativeClustering(n_clusters=None, metric="cosine", linkage="average", distance_threshold=1 - least)
    labels: NDArray[np.intp] = clustering.fit_predict(faces)
    return labels
