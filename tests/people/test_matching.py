"""The person of a face: the one its owner labeled, otherwise the most similar one, or nobody."""

from uuid import uuid4

import numpy as np

from heimdex.faces.base import Box
from heimdex.faces.calibration import Calibration
from people.matching import Label, PersonCandidates, identify_face, select_labels_at

CALIBRATION = Calibration(threshold=0.8, middle=0.75, slope=40.0)
ANN, BEN = uuid4(), uuid4()
PLACE = Box(0.1, 0.1, 0.3, 0.4)


def make_unit_vector(*numbers: float) -> np.ndarray:
    vector = np.array(numbers, dtype=np.float32)
    return vector / np.linalg.norm(vector)


PEOPLE = PersonCandidates([ANN, BEN], np.stack([make_unit_vector(1, 0, 0), make_unit_vector(0, 1, 0)]))


def make_label(person: object, is_person: bool) -> Label:
    return Label(person, 2.0, PLACE, is_person)  # type: ignore[arg-type]


def test_the_most_similar_person_at_or_above_the_threshold_matches() -> None:
    identified = identify_face(make_unit_vector(0.3, 1, 0), [], PEOPLE, CALIBRATION)
    assert identified is not None
    assert identified[0] == BEN
    assert 0.9 < identified[1] < 1.0
    assert identify_face(make_unit_vector(1, 1, 1), [], PEOPLE, CALIBRATION) is None
    assert identify_face(make_unit_vector(1, 0, 0), [], PersonCandidates([], np.zeros((0, 3), dtype=np.float32)), CALIBRATION) is None


def test_a_rejected_person_stays_excluded_and_the_next_most_similar_can_match() -> None:
    face = make_unit_vector(1, 0.9, 0)
    likely = Calibration(threshold=0.6, middle=0.5, slope=40.0)
    first = identify_face(face, [], PEOPLE, likely)
    second = identify_face(face, [make_label(ANN, False)], PEOPLE, likely)
    assert first is not None
    assert second is not None
    assert (first[0], second[0]) == (ANN, BEN)
    assert identify_face(face, [make_label(ANN, False), make_label(BEN, False)], PEOPLE, likely) is None


def test_the_owners_label_overrides_the_vectors() -> None:
    assert identify_face(make_unit_vector(0, 0, 1), [make_label(BEN, True)], PEOPLE, CALIBRATION) == (BEN, 1.0)
    assert identify_face(make_unit_vector(0, 0, 1), [make_label(ANN, False), make_label(BEN, True)], PEOPLE, CALIBRATION) == (BEN, 1.0)


def test_a_label_applies_to_the_face_at_the_same_time_and_place_and_the_latest_counts() -> None:
    yes, no = make_label(ANN, True), make_label(ANN, False)
    elsewhere = Label(ANN, 2.0, Box(0.6, 0.1, 0.8, 0.4), True)
    later = Label(ANN, 9.0, PLACE, True)
    moved = Box(0.12, 0.1, 0.33, 0.4)
    assert select_labels_at([yes, elsewhere, later, no], 2.01, moved) == [no, yes]


def test_the_threshold_itself_is_enough() -> None:
    face = make_unit_vector(0.7, 0.3, 0.4)
    similarity = float(PEOPLE.vectors[0] @ face)
    exact = Calibration(threshold=similarity, middle=0.5, slope=10.0)
    assert identify_face(face, [], PEOPLE, exact) == (ANN, round(exact.estimate_probability(similarity), 4))
    above = Calibration(threshold=float(np.nextafter(np.float32(similarity), np.float32(2))), middle=0.5, slope=10.0)
    assert identify_face(face, [], PEOPLE, above) is None


def test_an_excluded_person_is_never_returned_at_any_threshold() -> None:
    anybody = Calibration(threshold=-0.999, middle=0.0, slope=10.0)
    assert identify_face(make_unit_vector(0, -1, 0.1), [make_label(ANN, False), make_label(BEN, False)], PEOPLE, anybody) is None
    identified = identify_face(make_unit_vector(0, -1, 0.1), [make_label(ANN, False)], PEOPLE, anybody)
    assert identified is not None
    assert identified[0] == BEN


def test_the_latest_of_two_labels_of_one_person_counts() -> None:
    assert identify_face(make_unit_vector(0, 0, 1), [make_label(BEN, True), make_label(BEN, False)], PEOPLE, CALIBRATION) == (BEN, 1.0)
    assert identify_face(make_unit_vector(0, 1, 0), [make_label(BEN, False), make_label(BEN, True)], PEOPLE, CALIBRATION) is None


def test_the_probability_is_rounded_to_four_places() -> None:
    identified = identify_face(make_unit_vector(0.2, 0.9, 0.3), [], PEOPLE, Calibration(threshold=0.5, middle=0.9, slope=7.0))
    assert identified is not None
    assert identified[1] == round(identified[1], 4)
    assert identified[1] != round(identified[1], 3)


def test_a_label_belongs_to_a_face_at_most_a_twentieth_of_a_second_away() -> None:
    label = Label(ANN, 0.0, PLACE, True)
    assert select_labels_at([label], 0.05, PLACE) == [label]
    assert select_labels_at([label], -0.05, PLACE) == [label]
    assert select_labels_at([label], 0.051, PLACE) == []


def test_a_label_belongs_to_a_face_that_overlaps_its_box_by_two_fifths() -> None:
    # The boxes share 4 of 10 parts, then a little less.
    label = Label(ANN, 0.0, Box(0.0, 0.0, 7.0, 1.0), True)
    assert select_labels_at([label], 0.0, Box(3.0, 0.0, 10.0, 1.0)) == [label]
    assert select_labels_at([label], 0.0, Box(3.01, 0.0, 10.01, 1.0)) == []
