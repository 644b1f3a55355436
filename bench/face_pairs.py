"""How well the vectors of faces tell persons apart, and the curve that turns a similarity into a probability. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Newton's steps; the fit has two parameters and settles in a few.
_STEPS = 50


@dataclass(frozen=True, eq=False)
class Seen:
    """The vector of somebody's face in one exposure."""

    person: str
    take: str
    vector: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Pairs:
    """The cosines of all pairs of one person in two exposures, and of all pairs of two persons."""

    same: NDArray[np.float64]
    other: NDArray[np.float64]

    def recall(self, threshold: float) -> float:
        """Return the share of the pairs of one person that are recognised."""
        return float((self.same >= threshold).mean())

    def false_matches(self, threshold: float) -> int:
        """Return how many pairs of two persons are taken for one."""
        return int((self.other >= threshold).sum())

    def recall_without_false_matches(self) -> float:
        """Return the recall at the least threshold that takes no two persons for one."""
        return float((self.same > self.other.max()).mean())


def pairs(seen: Sequence[Seen]) -> Pairs:
    """Compare every face with every other; parts of one exposure of one person are no pair."""
    vectors = np.stack([face.vector for face in seen]).astype(np.float64)
    rows, columns = np.triu_indices(len(seen), 1)
    cosines = (vectors @ vectors.T)[rows, columns]
    persons, takes = (np.array(names) for names in ([face.person for face in seen], [face.take for face in seen]))
    one_person = persons[rows] == persons[columns]
    return Pairs(cosines[one_person & (takes[rows] != takes[columns])], cosines[~one_person])


def fitted(measured: Pairs) -> tuple[float, float]:
    """Return middle and slope of the logistic curve through the pairs, both kinds weighing as much.

    Follows Platt 1999, "Probabilistic outputs for support vector machines": the targets are (n + 1) / (n + 2) and 1 / (n + 2) instead of
    1 and 0, without which the slope has no bound where the two kinds do not overlap.
    """
    same, other = len(measured.same), len(measured.other)
    cosines = np.concatenate([measured.same, measured.other])
    targets = np.concatenate([np.full(same, (same + 1) / (same + 2)), np.full(other, 1 / (other + 2))])
    weights = np.concatenate([np.full(same, 0.5 / same), np.full(other, 0.5 / other)])
    centre, spread = cosines.mean(), cosines.std()
    inputs = np.column_stack([(cosines - centre) / spread, np.ones(len(cosines))])
    line = np.zeros(2)
    for _ in range(_STEPS):
        chances = 0.5 * (1 + np.tanh(inputs @ line / 2))
        gradient = inputs.T @ (weights * (targets - chances))
        curvature = (inputs * (weights * chances * (1 - chances))[:, None]).T @ inputs
        step = np.linalg.solve(curvature + 1e-9 * np.eye(2), gradient)
        # A long first step would leave the region in which the curvature says anything.
        line += step * min(1.0, 2 / np.abs(step).max())
    slope = line[0] / spread
    return float(centre - line[1] / slope), float(slope)
