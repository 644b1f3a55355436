"""Pairs of faces are counted as they are meant, and the curve through them is the one that made them."""

import numpy as np
import pytest

from bench.face_pairs import FaceSample, Pairs, compare_faces, fit_curve
from heimdex.faces.calibration import Calibration


def make_sample(person: str, take: str, degrees: float) -> FaceSample:
    angle = np.deg2rad(degrees)
    return FaceSample(person, take, np.array([np.cos(angle), np.sin(angle)], dtype=np.float32))


def test_parts_of_one_exposure_are_no_pair_of_a_person_and_every_two_persons_are_one() -> None:
    album = [make_sample("a", "1", 0), make_sample("a", "1", 1), make_sample("a", "2", 10), make_sample("b", "1", 90)]
    measured = compare_faces(album)
    assert sorted(np.rad2deg(np.arccos(measured.same))) == pytest.approx([9, 10], abs=0.01)
    assert len(measured.other) == 3
    assert measured.compute_recall(float(np.cos(np.deg2rad(9.5)))) == 0.5
    assert measured.count_false_matches(float(np.cos(np.deg2rad(80.5)))) == 1
    assert measured.compute_clean_recall() == 1
    assert Pairs(np.array([0.6, 0.8]), np.array([0.7])).compute_clean_recall() == 0.5


def test_the_fit_finds_the_curve_that_made_the_pairs() -> None:
    random = np.random.default_rng(1)
    cosines = random.uniform(0, 1, 40_000)
    true = Calibration(0.5, 0.6, 15)
    is_same = random.uniform(size=cosines.size) < [true.estimate_probability(cosine) for cosine in cosines]
    weight = is_same.mean() / (1 - is_same.mean())
    middle, slope = fit_curve(Pairs(cosines[is_same], cosines[~is_same]))
    assert slope == pytest.approx(15, rel=0.05)
    # Both kinds weigh as much in the fit, whatever their numbers.
    assert middle == pytest.approx(0.6 + np.log(weight) / 15, abs=0.01)


def test_kinds_that_do_not_overlap_give_a_curve_too() -> None:
    measured = Pairs(np.linspace(0.6, 0.9, 20), np.linspace(-0.2, 0.4, 5000))
    middle, slope = fit_curve(measured)
    assert 0.4 < middle < 0.6
    assert 5 < slope < 500
