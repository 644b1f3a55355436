"""Measure how well face vectors distinguish people, and fit the curve from similarity to probability. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Steps of Newton's method. The fit has two parameters and converges in a few.
_STEPS = 50


@dataclass(frozen=True, eq=False)
class FaceSample:
    """The vector of a person's face in one exposure."""

    person: str
    take: str
    vector: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Pairs:
    """The cosines of all pairs of one person in two exposures, and of all pairs of two people."""

    same: NDArray[np.float64]
    other: NDArray[np.float64]

    def compute_recall(self, threshold: float) -> float:
        """Return the share of same-person pairs at or above the threshold."""
        return float((self.same >= threshold).mean())

    def count_false_matches(self, threshold: float) -> int:
        """Count the pairs of two people at or above the threshold."""
        return int((self.other >= threshold).sum())

    def compute_clean_recall(self) -> float:
        """Return the recall at the lowest threshold without a false match."""
        return float((self.same > self.other.max()).mean())


def compare_faces(samples: Sequence[FaceSample]) -> Pairs:
    """Compare every face with every other, except parts of one exposure of one person."""
    vectors = np.stack([face.vector for face in samples]).astype(np.float64)
    rows, columns = np.triu_indices(len(samples), 1)
    cosines = (vectors @ vectors.T)[rows, columns]
    persons, takes = (np.array(names) for names in ([face.person for face in samples], [face.take for face in samples]))
    one_person = persons[rows] == persons[columns]
    return Pairs(cosines[one_person & (takes[rows] != takes[columns])], cosines[~one_person])


def fit_curve(measured: Pairs) -> tuple[float, float]:
    """Return the middle and slope of the logistic curve through the pairs. Both kinds have the same weight.

    Follows Platt 1999, "Probabilistic outputs for support vector machines": the targets are (n + 1) / (n + 2) and 1 / (n + 2) instead of
    1 and 0, without which the slope has no bound where the two kinds do not overlap.
    """
    same, other = len(measured.same), len(measured.other)
    cosines = np.concatenate([measured.same, measured.other])
    targets = np.concatenate([np.full(same, (same + 1) / (same + 2)), np.full(other, 1 / (other + 2))])
    weights = np.concatenate([np.full(same, 0.5 / same), np.full(other, 0.5 / other)])
    center, spread = cosines.mean(), cosines.std()
    inputs = np.column_stack([(cosines - center) / spread, np.ones(len(cosines))])
    line = np.zeros(2)
    for _ in range(_STEPS):
        chances = 0.5 * (1 + np.tanh(inputs @ line / 2))
        gradient = inputs.T @ (weights * (targets - chances))
        curvature = (inputs * (weights * chances * (1 - chances))[:, None]).T @ inputs
        step = np.linalg.solve(curvature + 1e-9 * np.eye(2), gradient)
        # Limit the step, because the curvature is valid only nearby.
        line += step * min(1.0, 2 / np.abs(step).max())
    slope = line[0] / spread
    return float(center - line[1] / slope), float(slope)
