"""Pure functions over matrices of vectors."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from heimdex.embedders.errors import EmbedderError, EmbedderUnavailable

Vectors = NDArray[np.float32]


def normalized(matrix: NDArray[np.floating]) -> Vectors:
    """Scale every row to unit length; float32. A row of zeros has no direction and raises EmbedderError."""
    # float64 keeps the squares of large float16 or float32 values from overflowing.
    wide = matrix.astype(np.float64)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    if not np.all(lengths > 0):
        raise EmbedderError("The model gave a vector of zeros, which has no direction and cannot be compared.")
    unit: Vectors = (wide / lengths).astype(np.float32)
    return unit


def checked(matrix: NDArray[np.floating], count: int, dimensions: int, model: str) -> NDArray[np.floating]:
    """Return the model's answer if it is `count` finite vectors of `dimensions` numbers.

    EmbedderError for numbers that are not finite, which come of an input; EmbedderUnavailable for a wrong shape, which all inputs get.
    """
    if matrix.ndim != 2 or matrix.shape[0] != count:
        raise EmbedderUnavailable(f"{model} answered {count} inputs with an array of shape {matrix.shape}.")
    if matrix.shape[1] != dimensions:
        raise EmbedderUnavailable(
            f"{model} gives vectors of {matrix.shape[1]} dimensions, but {dimensions} are configured: "
            f'set "dimensions": {matrix.shape[1]} for it in HEIMDEX_MODELS.'
        )
    if not np.isfinite(matrix).all():
        raise EmbedderError(f"{model} gave a vector with numbers that are not finite.")
    return matrix


def longest_first(texts: Sequence[str]) -> list[int]:
    """Order positions by length of text: a batch is padded to its longest text, so equals side by side waste least."""
    return sorted(range(len(texts)), key=lambda position: -len(texts[position]))
