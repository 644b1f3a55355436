"""Similar faces form one group, and stay together as more are found."""

import numpy as np
import pytest
from numpy.typing import NDArray

from heimdex.embedders.vectors import normalize_rows
from people.clustering import cluster_faces, merge_mean

DIMENSIONS = 128
NOBODY = np.zeros((0, DIMENSIONS), dtype=np.float32)


def make_views(seed: int, number: int, spread: float = 0.02) -> NDArray[np.float32]:
    """Return views of one person: a random direction with some noise."""
    noise = np.random.default_rng(seed)
    direction = noise.normal(size=DIMENSIONS) / np.sqrt(DIMENSIONS)
    return normalize_rows(direction + spread * noise.normal(size=(number, DIMENSIONS)))


def make_unit_vectors(*degrees: float) -> NDArray[np.float32]:
    """Return unit vectors in a plane."""
    angles = np.deg2rad(np.array(degrees))
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_views_of_each_person_form_one_group_and_a_single_view_forms_its_own() -> None:
    faces = np.concatenate([make_views(1, 5), make_views(2, 3), make_views(3, 1)])
    clustering = cluster_faces(faces, NOBODY, 0.8)
    positions = clustering.positions.tolist()
    assert clustering.new_groups == 3
    assert set(positions) == {0, 1, 2}
    assert len(set(positions[:5])) == len(set(positions[5:8])) == 1
    assert len({positions[0], positions[5], positions[8]}) == 3


def test_new_faces_join_the_group_that_fits_and_the_others_form_new_groups() -> None:
    first, second = make_views(1, 6), make_views(2, 4)
    groups = np.stack([first[:3].mean(axis=0), second[:2].mean(axis=0)])
    clustering = cluster_faces(np.concatenate([first[3:], second[2:], make_views(9, 2), make_views(8, 1)]), normalize_rows(groups), 0.8)
    positions = clustering.positions.tolist()
    assert positions[:5] == [0, 0, 0, 1, 1]
    assert positions[5] == positions[6] != positions[7]
    assert set(positions[5:]) == {2, 3}
    assert clustering.new_groups == 2


def test_a_face_joins_the_most_similar_of_several_fitting_groups() -> None:
    assert cluster_faces(make_unit_vectors(12), make_unit_vectors(0, 10, 30), 0.8).positions.tolist() == [1]


def test_a_single_new_face_forms_a_group() -> None:
    clustering = cluster_faces(make_unit_vectors(90), make_unit_vectors(0), 0.8)
    assert (clustering.positions.tolist(), clustering.new_groups) == ([1], 1)


def test_a_face_exactly_at_the_threshold_joins() -> None:
    faces, groups = make_unit_vectors(40), make_unit_vectors(0)
    threshold = float((faces @ groups.T)[0, 0])
    assert cluster_faces(faces, groups, threshold).positions.tolist() == [0]
    assert cluster_faces(faces, groups, float(np.nextafter(np.float32(threshold), np.float32(1)))).new_groups == 1


def test_two_new_faces_need_the_same_similarity_as_a_face_and_a_group() -> None:
    cosine = float(np.cos(np.deg2rad(30)))
    assert cluster_faces(make_unit_vectors(0, 30), NOBODY[:, :2], cosine - 0.01).new_groups == 1
    assert cluster_faces(make_unit_vectors(0, 30), NOBODY[:, :2], cosine + 0.01).new_groups == 2


def test_faces_between_two_people_do_not_chain_them() -> None:
    """Single linkage would make one group: each face is within 25° of the next. Average linkage compares the groups as wholes."""
    clustering = cluster_faces(make_unit_vectors(0, 5, 25, 45, 65, 85, 90), NOBODY[:, :2], float(np.cos(np.deg2rad(30))))
    positions = clustering.positions.tolist()
    assert clustering.new_groups > 1
    assert positions[0] != positions[-1]
    # Complete linkage would part the ends of each group: they are more than 30° apart, but not on average.
    wide = cluster_faces(make_unit_vectors(0, 1, 2, 33), NOBODY[:, :2], float(np.cos(np.deg2rad(32.5))))
    assert wide.new_groups == 1


def test_no_faces_form_no_groups() -> None:
    for groups in (NOBODY, make_views(1, 2)):
        clustering = cluster_faces(NOBODY, groups, 0.8)
        assert (clustering.positions.tolist(), clustering.new_groups) == ([], 0)


def test_the_mean_of_a_group_covers_all_its_faces() -> None:
    faces = make_views(1, 5, spread=0.001)
    zeros = np.zeros(DIMENSIONS, dtype=np.float32)
    at_once = merge_mean(zeros, 0, list(faces))
    bit_by_bit = merge_mean(merge_mean(zeros, 0, list(faces[:2])), 2, list(faces[2:]))
    assert np.allclose(at_once, bit_by_bit, atol=1e-3)
    assert np.isclose(np.linalg.norm(bit_by_bit), 1.0)
    assert at_once @ faces[0] > 0.9


@pytest.mark.parametrize(("size", "degrees"), [(1, 45.0), (3, np.rad2deg(np.arctan2(1, 3)))])
def test_the_mean_weighs_a_group_by_its_size(size: int, degrees: float) -> None:
    mean = merge_mean(make_unit_vectors(0)[0], size, [make_unit_vectors(90)[0]])
    assert np.allclose(mean, make_unit_vectors(degrees)[0], atol=1e-6)
