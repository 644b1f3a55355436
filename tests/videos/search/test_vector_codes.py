"""Codes of one bit per dimension tell which vectors are near a query."""

from unittest import mock

import numpy as np
import pytest
from numpy.typing import NDArray

from videos.search import vector_codes
from videos.search.vector_codes import count_words, encode_vectors, rank_codes


def make_vectors(count: int, dimensions: int, seed: int = 1) -> NDArray[np.float32]:
    """Return normalized vectors that lean to one side, as those of real models do, and else are as hard to tell apart as can be."""
    vectors = np.random.default_rng(seed).standard_normal((count, dimensions)).astype(np.float32)
    vectors[:, 0] += 3
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize(("dimensions", "words"), [(64, 1), (65, 2), (384, 6), (1000, 16)])
def test_a_code_has_one_bit_per_dimension_and_a_scale(dimensions: int, words: int) -> None:
    vectors = make_vectors(10, dimensions)
    encoded = encode_vectors(vectors, vectors.mean(axis=0))
    assert (encoded.codes.shape, encoded.scales.shape) == ((words, 10), (10,))
    assert encoded.codes.nbytes == 10 * 8 * count_words(dimensions)


@pytest.mark.parametrize("dimensions", [64, 100, 384])
def test_the_nearest_vectors_are_among_the_best_codes(dimensions: int) -> None:
    vectors = make_vectors(5000, dimensions)
    center = vectors[:1000].mean(axis=0)
    blocks = [encode_vectors(block, center) for block in np.split(vectors, [1000, 4000])]
    shares = []
    for query in make_vectors(20, dimensions, seed=2):
        nearest = np.argsort(-(vectors @ query))[:10]
        shares.append(np.isin(nearest, rank_codes(blocks, query, 500)).mean())
    assert np.mean(shares) >= 0.95


def test_the_nearest_of_very_long_vectors_are_among_the_best_codes() -> None:
    vectors = make_vectors(600, 3072)
    # To compute a rotation of this size takes seconds.
    with mock.patch.object(vector_codes, "_make_rotation", lambda dimensions: np.eye(dimensions, dtype=np.float32)):
        encoded = encode_vectors(vectors, vectors.mean(axis=0))
        for query in make_vectors(5, 3072, seed=2):
            assert np.argmax(vectors @ query) in rank_codes([encoded], query, 60)


def test_codes_are_the_same_in_every_process() -> None:
    vectors = make_vectors(3, 64)
    encoded = encode_vectors(vectors, np.zeros(64, np.float32))
    assert [f"{code:016x}" for code in encoded.codes[0]] == ["1ed961e63743f597", "9b85006823abe41d", "c4af0a52281a9289"]


def test_only_vectors_whose_signs_are_near_are_estimated() -> None:
    assert (vector_codes.MIN_SIEVED, vector_codes.SIEVED_SHARE) == (16_000, 0.04)


def test_a_limit_beyond_the_library_returns_all() -> None:
    vectors = make_vectors(7, 64)
    assert sorted(rank_codes([encode_vectors(vectors, vectors[0])], vectors[1], 100)) == list(range(7))


def test_a_vector_at_the_center_has_a_scale_of_zero() -> None:
    vectors = make_vectors(2, 64)
    assert encode_vectors(vectors, vectors[0]).scales[0] == 0
