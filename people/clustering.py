"""Group faces that look like one person. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heimdex.embedders.vectors import Vectors, normalize_rows


@dataclass(frozen=True, eq=False)
class Clustering:
    """The group of each face: the position of an existing group, or of a new group, counted on from the existing ones."""

    positions: NDArray[np.intp]
    new_groups: int


def cluster_faces(faces: Vectors, groups: Vectors, threshold: float) -> Clustering:
    """Assign each face to the most similar group with a cosine of at least `threshold`, and cluster the others into new groups.

    Both arguments are unit vectors, (n, dimensions). New groups are found by average linkage (scikit-learn): single linkage would chain
    two people through faces that resemble both. Needs memory for n² numbers for the n faces that fit no existing group.
    """
    positions = np.full(len(faces), -1, dtype=np.intp)
    if len(groups):
        similarities = faces @ groups.T
        nearest = similarities.argmax(axis=1)
        fits = similarities[np.arange(len(faces)), nearest] >= threshold
        positions[fits] = nearest[fits]
    unassigned = np.flatnonzero(positions < 0)
    labels = _link(faces[unassigned], threshold)
    positions[unassigned] = len(groups) + labels
    return Clustering(positions, int(labels.max()) + 1 if len(labels) else 0)


def merge_mean(mean: NDArray[np.float32], size: int, faces: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return the normalized mean of a group after adding faces, given its mean of `size` faces."""
    total = mean * size + np.sum(np.stack(list(faces)), axis=0)
    unit: NDArray[np.float32] = normalize_rows(total[np.newaxis])[0]
    return unit


def _link(faces: Vectors, threshold: float) -> NDArray[np.intp]:
    if len(faces) < 2:
        return np.zeros(len(faces), dtype=np.intp)
    from sklearn.cluster import AgglomerativeClustering

    clustering = AgglomerativeClustering(n_clusters=None, metric="cosine", linkage="average", distance_threshold=1 - threshold)
    labels: NDArray[np.intp] = clustering.fit_predict(faces)
    return labels
