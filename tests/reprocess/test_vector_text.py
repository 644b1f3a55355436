"""The quick text of a vector means the same numbers."""

import numpy as np
from pgvector import HalfVector

from reprocess.vector_text import QuickHalfVector


def test_every_half_precision_number_comes_back_as_itself() -> None:
    halves = np.arange(65536, dtype=np.uint16).view(np.float16)
    finite = halves[np.isfinite(halves)]
    # PostgreSQL reads the text as float4 and rounds that to a half.
    read = np.array([np.float32(text) for text in QuickHalfVector(finite).to_text()[1:-1].split(",")]).astype(np.float16)
    np.testing.assert_array_equal(read, finite)


def test_a_vector_of_float32_is_rounded_as_the_library_rounds_it() -> None:
    vector = np.random.default_rng(0).normal(size=384).astype(np.float32)
    assert HalfVector.from_text(QuickHalfVector(vector).to_text()) == HalfVector(vector)
