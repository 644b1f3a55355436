"""The measures of one ranking: nDCG@10, success@1, success@10 and the reciprocal rank, as trec_eval defines them. Pure."""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

Item = TypeVar("Item", bound=Hashable)

DEPTH = 10


@dataclass(frozen=True)
class Measures:
    """The measures of one query, each from 0 to 1. R@1 and R@10 are success@k: whether one of the first k is relevant.

    `pytrec_eval` calls them `ndcg_cut_10`, `success_1`, `success_10` and `recip_rank`.
    """

    ndcg_10: float
    r_1: float
    r_10: float
    mrr: float


# The fields of Measures, and how people write them.
LABELS = {"ndcg_10": "nDCG@10", "r_1": "R@1", "r_10": "R@10", "mrr": "MRR"}


def measure_ranking(ranking: Sequence[Item], grades: Mapping[Item, int]) -> Measures:
    """Measure a ranking, best first and without repetitions. A grade of 1 or more is relevant, and the gain is the grade.

    A query without a relevant item, or without an answer, measures 0.
    """
    first = next((place for place, item in enumerate(ranking) if grades.get(item, 0) > 0), None)
    if first is None:
        return Measures(0.0, 0.0, 0.0, 0.0)
    gained = _sum_discounted([grades.get(item, 0) for item in ranking[:DEPTH]])
    ideal = _sum_discounted(sorted(grades.values(), reverse=True)[:DEPTH])
    return Measures(gained / ideal, float(first == 0), float(first < DEPTH), 1 / (first + 1))


def order_by_score(scores: Mapping[str, float]) -> list[str]:
    """Return the items of a run, the highest score first.

    As in trec_eval, scores are equal when they are equal in single precision, and of equal scores the last id (by its UTF-8 bytes) comes
    first.
    """
    return sorted(scores, key=lambda item: (np.float32(scores[item]), item.encode()), reverse=True)


def _sum_discounted(gains: Sequence[int]) -> float:
    return sum(max(gain, 0) / math.log2(place + 2) for place, gain in enumerate(gains))
