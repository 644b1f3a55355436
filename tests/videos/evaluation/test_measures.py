"""The measures equal those of trec_eval, ties included."""

import random
from dataclasses import astuple

import pytest
import pytrec_eval

from videos.evaluation.measures import Measures, measure_ranking, order_by_score

MEASURES = {"ndcg_cut_10", "success_1", "success_10", "recip_rank"}
NAMES = ("ndcg_cut_10", "success_1", "success_10", "recip_rank")


def _draw(chance: random.Random, levels: int) -> tuple[dict[str, int], dict[str, float]]:
    """Return random judgments and a random run; few levels of scores mean many ties."""
    # Ids of different lengths and alphabets, because the order of ties compares bytes.
    ids = [f"{chance.choice('aZé東')}{chance.randrange(1000)}" for _ in range(chance.randrange(1, 60))]
    grades = {item: chance.choice((-1, 0, 0, 1, 2, 3)) for item in chance.sample(ids, chance.randrange(1, len(ids) + 1))}
    scores = {item: chance.randrange(levels) / levels for item in chance.sample(ids, chance.randrange(1, len(ids) + 1))}
    return grades, scores


@pytest.mark.parametrize("levels", [1, 2, 5, 1000])
def test_random_runs_measure_as_in_trec_eval(levels: int) -> None:
    chance = random.Random(levels)
    drawn = {f"q{number}": _draw(chance, levels) for number in range(500)}
    reference = pytrec_eval.RelevanceEvaluator({query: grades for query, (grades, _) in drawn.items()}, MEASURES).evaluate(
        {query: scores for query, (_, scores) in drawn.items()}
    )
    assert len(reference) == 500
    for query, (grades, scores) in drawn.items():
        expected = [reference[query][name] for name in NAMES]
        assert list(astuple(measure_ranking(order_by_score(scores), grades))) == pytest.approx(expected, abs=1e-9), (query, grades, scores)


def test_scores_that_differ_beyond_single_precision_are_equal() -> None:
    scores = {"a": 1.0 + 1e-9, "b": 1.0}
    (reference,) = pytrec_eval.RelevanceEvaluator({"q": {"a": 1}}, {"recip_rank"}).evaluate({"q": scores}).values()
    assert measure_ranking(order_by_score(scores), {"a": 1}).mrr == reference["recip_rank"] == 0.5


def test_equal_scores_are_ordered_by_the_last_id_first() -> None:
    assert order_by_score({"a": 1.0, "c": 1.0, "b": 1.0, "z": 0.5, "A": 2.0}) == ["A", "c", "b", "a", "z"]


@pytest.mark.parametrize(
    ("ranking", "grades", "expected"),
    [
        ([], {"a": 1}, Measures(0, 0, 0, 0)),
        (["a"], {}, Measures(0, 0, 0, 0)),
        (["a"], {"a": 0}, Measures(0, 0, 0, 0)),
        (["a"], {"a": 2}, Measures(1, 1, 1, 1)),
        ([*"bcdefghijk", "a"], {"a": 1}, Measures(0, 0, 0, 1 / 11)),
        ([*"bcdefghij", "a"], {"a": 1}, Measures(pytest.approx(1 / 3.459431618637297), 0, 1, 0.1)),
    ],
)
def test_measures_at_their_limits(ranking: list[str], grades: dict[str, int], expected: Measures) -> None:
    assert measure_ranking(ranking, grades) == expected
