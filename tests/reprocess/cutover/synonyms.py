"""A text model that knows some synonyms, judged queries that only this model answers, and a model that changes nothing."""

import numpy as np
from numpy.typing import NDArray

from heimdex.embedders.base import EmbedderIdentity
from tests.hashing_embedder import DIMENSIONS, HashingTextEmbedder, hash_words

SYNONYMS = {
    "vessel": "boat",
    "maize": "tomatoes",
    "commission": "committee",
    "seamen": "sailors",
    "secretary": "minister",
    "mayor": "minister",
}
# Each is found by meaning only: no scene has these words.
JUDGED = {
    "vessel": "A film#0",
    "maize": "A film#1",
    "commission": "A film#2",
    "seamen": "Another#0",
    "secretary": "Another#1",
    "mayor": "Another#1",
}


class SynonymEmbedder(HashingTextEmbedder):
    """A better model: it knows some synonyms."""

    @property
    def identity(self) -> EmbedderIdentity:
        return EmbedderIdentity("tests", "hashed words with synonyms", "1", DIMENSIONS)

    def _encode_queries(self, texts: list[str]) -> NDArray[np.floating]:
        return hash_words([" ".join(SYNONYMS.get(word, word) for word in text.split()) for text in texts])


class RenamedEmbedder(HashingTextEmbedder):
    """Another model with the same vectors."""

    @property
    def identity(self) -> EmbedderIdentity:
        return EmbedderIdentity("tests", "hashed words, renamed", "1", DIMENSIONS)
