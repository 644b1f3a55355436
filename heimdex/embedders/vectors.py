"""Pure functions on matrices of vectors."""

import numpy as np
from numpy.typing import NDArray

from heimdex.errors import ModelInputError, ModelUnavailable

Vectors = NDArray[np.float32]


def normalize_rows(matrix: NDArray[np.floating]) -> Vectors:
    """Scale every row to unit length, in float32. Raise ModelInputError for a row of zeros, which has no direction."""
    # float64 keeps the squares of large float16 or float32 values from overflowing.
    wide = matrix.astype(np.float64)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    if not np.all(lengths > 0):
        raise ModelInputError("The model returned a vector of zeros, which has no direction and cannot be compared.")
    unit: Vectors = (wide / lengths).astype(np.float32)
    return unit


def validate_vectors(matrix: NDArray[np.floating], count: int, dimensions: int, model: str) -> NDArray[np.floating]:
    """Return a model's answer if it is `count` finite vectors of `dimensions` numbers.

    Raise ModelInputError for numbers that are not finite, because an input causes them. Raise ModelUnavailable for a wrong shape, which
    affects all inputs.
    """
    if matrix.ndim != 2 or matrix.shape[0] != count:
        raise ModelUnavailable(f"{model} answered {count} inputs with an array of shape {matrix.shape}.")
    if matrix.shape[1] != dimensions:
        raise ModelUnavailable(
            f"{model} returns vectors of {matrix.shape[1]} dimensions, but {dimensions} are configured: "
            f'set "dimensions": {matrix.shape[1]} for it in HEIMDEX_MODELS.'
        )
    if not np.isfinite(matrix).all():
        raise ModelInputError(f"{model} returned a vector with numbers that are not finite.")
    return matrix
