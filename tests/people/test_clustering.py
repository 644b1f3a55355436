"""Faces that look alike come together, and stay together as more are found."""

import numpy as np
from numpy.typing import NDArray

from heimdex.embedders.vectors import normalize_rows
from people.clustering import cluster_faces, merge_mean

DIMENSIONS = 128
NOBODY = np.zeros((0, DIMENSIONS), dtype=np.float32)


def person(seed: int, number: int, spread: float = 0.02) -> NDArray[np.float32]:
    """Return views of one person: a direction of its own, and some noise."""
    noise = np.random.default_rng(seed)
    direction = noise.normal(size=DIMENSIONS) / np.sqrt(DIMENSIONS)
    return normalize_rows(direction + spread * noise.normal(size=(number, DIMENSIONS)))


def test_views_of_each_person_make_one_group_and_somebody_seen_once_has_a_group_too() -> None:
    faces = np.concatenate([person(1, 5), person(2, 3), person(3, 1)])
    clustering = cluster_faces(faces, NOBODY, 0.8)
    positions = clustering.positions.tolist()
    assert clustering.new_groups == 3
    assert len(set(positions[:5])) == len(set(positions[5:8])) == 1
    assert len({positions[0], positions[5], positions[8]}) == 3


def test_new_faces_join_the_group_that_they_fit_and_only_strangers_make_another() -> None:
    first, second = person(1, 6), person(2, 4)
    known = np.stack([first[:3].mean(axis=0), second[:2].mean(axis=0)])
    clustering = cluster_faces(np.concatenate([first[3:], second[2:], person(9, 2)]), normalize_rows(known), 0.8)
    assert clustering.positions.tolist() == [0, 0, 0, 1, 1, 2, 2]
    assert clustering.new_groups == 1


def test_nothing_makes_nothing() -> None:
    clustering = cluster_faces(NOBODY, NOBODY, 0.8)
    assert (clustering.positions.tolist(), clustering.new_groups) == ([], 0)


def test_a_groups_mean_is_that_of_all_its_faces() -> None:
    faces = person(1, 5, spread=0.001)
    at_once = merge_mean(np.zeros(DIMENSIONS, dtype=np.float32), 0, list(faces))
    bit_by_bit = merge_mean(merge_mean(np.zeros(DIMENSIONS, dtype=np.float32), 0, list(faces[:2])), 2, list(faces[2:]))
    assert np.allclose(at_once, bit_by_bit, atol=1e-3)
    assert np.isclose(np.linalg.norm(bit_by_bit), 1.0)
