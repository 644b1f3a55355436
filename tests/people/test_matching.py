"""The person of a face: the one its owner labeled, otherwise the most similar one, or nobody."""

from uuid import uuid4

import numpy as np

from heimdex.faces.base import Box
from heimdex.faces.calibration import Calibration
from people.matching import Label, PersonCandidates, identify_face, select_labels_at

CALIBRATION = Calibration(threshold=0.8, middle=0.75, slope=40.0)
ANN, BEN = uuid4(), uuid4()
PLACE = Box(0.1, 0.1, 0.3, 0.4)


def unit(*numbers: float) -> np.ndarray:
    vector = np.array(numbers, dtype=np.float32)
    return vector / np.linalg.norm(vector)


PEOPLE = PersonCandidates([ANN, BEN], np.stack([unit(1, 0, 0), unit(0, 1, 0)]))


def said(person: object, is_person: bool) -> Label:
    return Label(person, 2.0, PLACE, is_person)  # type: ignore[arg-type]


def test_the_likest_person_at_or_above_the_threshold_is_whose_it_is() -> None:
    found = identify_face(unit(0.3, 1, 0), [], PEOPLE, CALIBRATION)
    assert found is not None
    assert found[0] == BEN
    assert 0.9 < found[1] < 1.0
    assert identify_face(unit(1, 1, 1), [], PEOPLE, CALIBRATION) is None
    assert identify_face(unit(1, 0, 0), [], PersonCandidates([], np.zeros((0, 3), dtype=np.float32)), CALIBRATION) is None


def test_who_was_taken_out_stays_out_and_the_next_likest_may_be_it() -> None:
    face = unit(1, 0.9, 0)
    likely = Calibration(threshold=0.6, middle=0.5, slope=40.0)
    first = identify_face(face, [], PEOPLE, likely)
    second = identify_face(face, [said(ANN, False)], PEOPLE, likely)
    assert first is not None
    assert second is not None
    assert (first[0], second[0]) == (ANN, BEN)
    assert identify_face(face, [said(ANN, False), said(BEN, False)], PEOPLE, likely) is None


def test_what_the_owner_says_counts_whatever_the_vectors_say() -> None:
    assert identify_face(unit(0, 0, 1), [said(BEN, True)], PEOPLE, CALIBRATION) == (BEN, 1.0)
    assert identify_face(unit(0, 0, 1), [said(ANN, False), said(BEN, True)], PEOPLE, CALIBRATION) == (BEN, 1.0)


def test_a_ruling_is_about_the_face_in_the_same_picture_and_place_and_the_last_word_counts() -> None:
    yes, no = said(ANN, True), said(ANN, False)
    elsewhere = Label(ANN, 2.0, Box(0.6, 0.1, 0.8, 0.4), True)
    later = Label(ANN, 9.0, PLACE, True)
    moved = Box(0.12, 0.1, 0.33, 0.4)
    assert select_labels_at([yes, elsewhere, later, no], 2.01, moved) == [no, yes]
