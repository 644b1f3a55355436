"""Certainties become evidence, a score and a probability, by the weights of the ranking model."""

import math

import pytest

from videos.search.ranking_model import EvidenceWeight, get_ranking_model


def test_evidence_counts_from_its_threshold_on() -> None:
    weight = EvidenceWeight(threshold=0.2, gain=2.0)
    assert weight.weigh(-5.0, 0.05) == pytest.approx(0.0, abs=1e-9)
    assert weight.weigh(0.2, 0.05) == pytest.approx(2.0 * 0.05 * math.log(2))
    assert weight.weigh(1.2, 0.05) == pytest.approx(2.0)
    assert weight.weigh(1e6, 0.05) == pytest.approx(2e6)


def test_a_channel_without_a_scale_has_the_default_one() -> None:
    model = get_ranking_model()
    assert model.measure("dominant_colors", 2.0) == 2.0 * model.default_scale
    assert model.measure("clip", 2.0) == 2.0 * model.scales["clip"]


def test_every_label_begins_at_its_probability() -> None:
    model = get_ranking_model()
    assert [model.label(value) for value in (model.strong, model.strong - 0.001, model.likely, model.likely - 0.001, 0.0)] == [
        "strong",
        "likely",
        "likely",
        "weak",
        "weak",
    ]
    assert 0 < model.likely < model.strong < 1


def test_the_probability_grows_with_the_score_and_its_share_of_the_best() -> None:
    model = get_ranking_model()
    assert model.estimate_probability(0.5, 1.0, {}) < model.estimate_probability(0.5, 0.5, {}) < model.estimate_probability(1.0, 1.0, {})
    # What is said counts a quarter for this query, so that its scores are half as high.
    assert model.estimate_probability(0.5, 0.5, {"said": 0.25}) == pytest.approx(model.estimate_probability(1.0, 1.0, {}))
    odds = [p / (1 - p) for p in (model.estimate_probability(score, score, {}) for score in (0.5, 1.0))]
    assert odds[1] / odds[0] == pytest.approx(2**model.slope)
    assert model.estimate_probability(0.0, 1.0, {}) == 0.0
