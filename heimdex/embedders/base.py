"""What every embedder has in common: identity, batching, normalisation, checks of the answer, counting of calls."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from heimdex.embedders.errors import EmbedderError
from heimdex.embedders.vectors import Vectors, checked, longest_first, normalized

if TYPE_CHECKING:
    from PIL.Image import Image

Input = TypeVar("Input")

# Larger is slower on CPUs (cache misses, padding) and gains nothing on small models.
BATCH_SIZE = 32


@dataclass(frozen=True)
class EmbedderIdentity:
    """What makes two embedders' vectors comparable; part of every fingerprint."""

    backend: str
    model: str
    revision: str
    dimensions: int


class Embedder(ABC):
    """Turn inputs into float32 vectors of unit length; loads its model on first use and may be shared by threads.

    `similarity_floor` is the cosine between a query and a document below which a match is noise. `batch_size` is the number of
    inputs of one model call.
    """

    def __init__(self, *, similarity_floor: float, batch_size: int = BATCH_SIZE) -> None:
        self.similarity_floor = similarity_floor
        self.batch_size = batch_size
        self._calls = 0
        self._tokens = 0
        self._counting = threading.Lock()

    @property
    @abstractmethod
    def identity(self) -> EmbedderIdentity:
        """Say which model this is, without loading it or importing its library."""

    @abstractmethod
    def check(self) -> list[str]:
        """Return what keeps the model from working, one sentence with setting and fix per problem; loads no weights."""

    @property
    def calls(self) -> int:
        """The number of model calls this instance has made, failed ones included."""
        return self._calls

    @property
    def tokens(self) -> int:
        """The number of tokens that were paid for so far; 0 for models of our own."""
        return self._tokens

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Embed what a person searches for.

        Returns shape (len(texts), dimensions), float32, rows of unit length. Raises EmbedderError for inputs that cannot be
        embedded and EmbedderUnavailable when the model cannot be used.
        """
        return self._embed_texts(texts, self._encode_queries)

    @abstractmethod
    def _encode_queries(self, texts: list[str]) -> NDArray[np.floating]:
        """Embed one batch with one model call; vectors of any length, in order."""

    def _windows(self, text: str) -> list[str]:
        """Cut a text that is too long for one model call into parts that fit."""
        return [text]

    def _embed_texts(self, texts: Sequence[str], encode: Callable[[list[str]], NDArray[np.floating]]) -> Vectors:
        parts = [self._windows(_without_surrogates(text)) for text in texts]
        flat = [window for windows in parts for window in windows]
        vectors = self._embed(flat, encode, longest_first(flat))
        if len(flat) == len(texts):
            return vectors
        # The mean gives every part of a long text its say; a text of one part keeps the model's own vector.
        starts = np.cumsum([0] + [len(windows) for windows in parts])
        means = [vectors[start:end].mean(axis=0) for start, end in pairwise(starts)]
        return normalized(np.stack(means))

    def _embed(self, inputs: Sequence[Input], encode: Callable[[list[Input]], NDArray[np.floating]], order: Sequence[int]) -> Vectors:
        result = np.zeros((len(inputs), self.identity.dimensions), dtype=np.float32)
        for start in range(0, len(order), self.batch_size):
            positions = order[start : start + self.batch_size]
            batch = [inputs[position] for position in positions]
            with self._counting:
                self._calls += 1
            result[positions] = normalized(checked(encode(batch), len(batch), self.identity.dimensions, self.identity.model))
        return result


class TextEmbedder(Embedder):
    """An embedder whose documents are texts."""

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Embed what is searched; returns and raises as `embed_queries`."""
        return self._embed_texts(texts, self._encode_documents)

    @abstractmethod
    def _encode_documents(self, texts: list[str]) -> NDArray[np.floating]:
        """Embed one batch with one model call; vectors of any length, in order."""


class ImageEmbedder(Embedder):
    """An embedder whose documents are pictures."""

    def embed_images(self, images: "Sequence[Image]") -> Vectors:
        """Embed pictures of any size and mode; returns and raises as `embed_queries`."""
        return self._embed(images, self._encode_decoded, range(len(images)))

    @abstractmethod
    def _encode_images(self, images: "list[Image]") -> NDArray[np.floating]:
        """Embed one batch of decoded pictures of any mode with one model call; vectors of any length, in order."""

    def _encode_decoded(self, images: "list[Image]") -> NDArray[np.floating]:
        try:
            for image in images:
                image.load()
        except (OSError, SyntaxError, ValueError) as error:
            raise EmbedderError(f"A picture cannot be decoded ({error}): replace its file.") from error
        return self._encode_images(images)


def _without_surrogates(text: str) -> str:
    # JSON may carry half of a surrogate pair, which no tokenizer and no HTTP client can encode.
    return text.encode("utf-8", "replace").decode("utf-8")
