"""Embedders without a model: equal words and equal images give equal vectors, and shared words give similar ones."""

import re
import time
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image, Resampling

from heimdex.embedders.base import BATCH_SIZE, EmbedderIdentity, ImageEmbedder, TextEmbedder

DIMENSIONS = 384
_WORD = re.compile(r"\w+")


class HashingTextEmbedder(TextEmbedder):
    """Count the words of a text in hashed dimensions; a prefix makes another model of it."""

    def __init__(self, document_prefix: str = "", similarity_floor: float = 0.2, batch_size: int = BATCH_SIZE) -> None:
        super().__init__(similarity_floor=similarity_floor, batch_size=batch_size)
        self._prefix = document_prefix
        self._identity = EmbedderIdentity("tests", "hashed words", f"1, {document_prefix!r}", DIMENSIONS)

    @property
    def identity(self) -> EmbedderIdentity:
        return self._identity

    def check(self) -> list[str]:
        return []

    def _encode_documents(self, texts: list[str]) -> NDArray[np.floating]:
        return hash_words([self._prefix + text for text in texts])

    def _encode_queries(self, texts: list[str]) -> NDArray[np.floating]:
        return hash_words(texts)


class SlowTextEmbedder(HashingTextEmbedder):
    """Makes the same vectors, but takes a third of a second for each batch, so that a run lasts for some seconds."""

    def _encode_documents(self, texts: list[str]) -> NDArray[np.floating]:
        time.sleep(1 / 3)
        return super()._encode_documents(texts)


class HashingImageEmbedder(ImageEmbedder):
    """Hash the colors of an image's places; a query is its hashed words, which resemble no image."""

    def __init__(self, revision: str = "1", similarity_floor: float = 0.2, batch_size: int = BATCH_SIZE) -> None:
        super().__init__(similarity_floor=similarity_floor, batch_size=batch_size)
        self._identity = EmbedderIdentity("tests", "hashed pixels", revision, DIMENSIONS)

    @property
    def identity(self) -> EmbedderIdentity:
        return self._identity

    @property
    def input_side(self) -> int:
        return 32

    def check(self) -> list[str]:
        return []

    def _encode_queries(self, texts: list[str]) -> NDArray[np.floating]:
        return hash_words(texts)

    def _preprocess(self, image: Image) -> list[str]:
        small = np.asarray(image.convert("RGB").resize((8, 8), Resampling.BOX)).reshape(64, 3) // 32
        return [f"{place} {red} {green} {blue}" for place, (red, green, blue) in enumerate(small.tolist())]

    def _encode_prepared(self, prepared: list[Any]) -> NDArray[np.floating]:
        return np.stack([hash_features(features) for features in prepared])


def hash_words(texts: list[str]) -> NDArray[np.float32]:
    """Return the hashed words of each text, shape (len(texts), DIMENSIONS)."""
    return np.stack([hash_features(_WORD.findall(text.lower())) for text in texts])


def hash_features(features: list[str]) -> NDArray[np.float32]:
    """Return the signed counts of the features, shape (DIMENSIONS,), never all zero (Weinberger et al. 2009, arXiv:0902.2206)."""
    vector = np.zeros(DIMENSIONS, dtype=np.float32)
    for feature in features or [""]:
        number = zlib.crc32(feature.encode())
        vector[number % DIMENSIONS] += 1.0 if number & 0x40000000 else -1.0
    if not vector.any():
        vector[0] = 1.0
    return vector
