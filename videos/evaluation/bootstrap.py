"""Intervals of means by the bootstrap: draw as many queries as there are, with repetition, and see how far the mean moves. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SEED = 20260106
DRAWS = 2000
_PERCENTILES = (2.5, 97.5)


@dataclass(frozen=True)
class Estimate:
    """A mean over queries, and the interval that contains 95 % of the means of the draws."""

    mean: float
    low: float
    high: float


def estimate_mean(values: Sequence[float]) -> Estimate:
    """Estimate the mean of one value per query. The draws are the same in every call with as many values, so results can be repeated."""
    if not values:
        raise ValueError("There is no mean of no values.")
    array = np.asarray(values, dtype=np.float64)
    draws = np.random.default_rng(SEED).integers(0, array.size, (DRAWS, array.size))
    low, high = np.percentile(array[draws].mean(axis=1), _PERCENTILES)
    return Estimate(float(array.mean()), float(low), float(high))


def estimate_difference(values: Sequence[float], others: Sequence[float]) -> Estimate:
    """Estimate the mean difference of two rankings' values for the same queries, in the same order (a paired bootstrap)."""
    return estimate_mean([value - other for value, other in zip(values, others, strict=True)])
