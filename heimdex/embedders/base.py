"""What every embedder has in common: identity, batching, normalisation, checks of the answer, counting of calls."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from heimdex.embedders.errors import EmbedderError, InputsRefused
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
    def inputs_at_once(self) -> int:
        """The number of inputs to hand over together, so that every call is full and all calls that may run at once do."""
        return self.batch_size

    @property
    def tokens(self) -> int:
        """The number of tokens that were paid for so far; 0 for models of our own."""
        return self._tokens

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Embed what a person searches for.

        Returns shape (len(texts), dimensions), float32, rows of unit length. Raises InputsRefused when some cannot be embedded
        and EmbedderUnavailable when the model cannot be used.
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
        starts = np.cumsum([0] + [len(windows) for windows in parts])
        try:
            vectors = self._embed(flat, encode, longest_first(flat))
        except InputsRefused as error:
            text_of = np.repeat(np.arange(len(texts)), np.diff(starts))
            refused = {int(text_of[position]): reason for position, reason in error.refused.items()}
            raise InputsRefused(_means(error.vectors, starts), refused) from error
        return _means(vectors, starts)

    def _embed(self, inputs: Sequence[Input], encode: Callable[[list[Input]], NDArray[np.floating]], order: Sequence[int]) -> Vectors:
        result = np.zeros((len(inputs), self.identity.dimensions), dtype=np.float32)
        refused: dict[int, str] = {}

        def fill(positions: Sequence[int]) -> None:
            batch = [inputs[position] for position in positions]
            try:
                self._count_call()
                result[positions] = normalized(checked(encode(batch), len(batch), self.identity.dimensions, self.identity.model))
            except EmbedderError as error:
                if len(positions) == 1:
                    refused[positions[0]] = str(error)
                    return
                # Halves, so that one bad input among many costs a few calls and not one call each.
                middle = len(positions) // 2
                fill(positions[:middle])
                fill(positions[middle:])

        self._fill_all(fill, self._split(inputs, order))
        if refused:
            raise InputsRefused(result, refused)
        return result

    def _split(self, inputs: Sequence[Any], order: Sequence[int]) -> list[Sequence[int]]:
        """Cut the ordered positions into model calls."""
        return [order[start : start + self.batch_size] for start in range(0, len(order), self.batch_size)]

    def _fill_all(self, fill: Callable[[Sequence[int]], None], batches: Iterable[Sequence[int]]) -> None:
        """Call the model for each batch; one after the other, as a model of our own uses every core by itself."""
        for positions in batches:
            fill(positions)

    def _count_call(self) -> None:
        with self._counting:
            self._calls += 1

    def _count_tokens(self, tokens: int) -> None:
        with self._counting:
            self._tokens += tokens


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

    @property
    @abstractmethod
    def picture_side(self) -> int:
        """The shorter side, in pixels, that the model looks at: a larger picture may be decoded at a reduced size."""

    def embed_images(self, images: "Sequence[Image]") -> Vectors:
        """Embed pictures of any size and mode; returns and raises as `embed_queries`."""
        return self.embed_prepared([self.prepare(image) for image in images])

    def prepare(self, image: "Image") -> Any:
        """Do for one picture what needs no model; may run on any thread. EmbedderError when the picture cannot be decoded."""
        try:
            image.load()
        except (OSError, SyntaxError, ValueError) as error:
            raise EmbedderError(f"A picture cannot be decoded ({error}): replace its file.") from error
        return self._pixels(image)

    def embed_prepared(self, prepared: Sequence[Any]) -> Vectors:
        """Embed what `prepare` gave; returns and raises as `embed_queries`."""
        return self._embed(prepared, self._encode_prepared, range(len(prepared)))

    @abstractmethod
    def _pixels(self, image: "Image") -> Any:
        """Turn a decoded picture of any mode into what `_encode_prepared` takes, as small as it can be: many wait in memory."""

    @abstractmethod
    def _encode_prepared(self, prepared: list[Any]) -> NDArray[np.floating]:
        """Embed one batch of prepared pictures with one model call; vectors of any length, in order."""


def _means(vectors: Vectors, starts: NDArray[np.integer]) -> Vectors:
    """Return the normalised mean of each text's windows, that every part of a long text has its say."""
    if len(vectors) == len(starts) - 1:
        # A text of one part keeps the model's own vector.
        return vectors
    means = np.stack([vectors[start:end].mean(axis=0) for start, end in pairwise(starts)])
    blank = ~means.any(axis=1)
    # Only refused texts are blank; any direction will do to keep their rows from stopping the others.
    means[blank, 0] = 1.0
    unit = normalized(means)
    unit[blank] = 0.0
    return unit


def _without_surrogates(text: str) -> str:
    # JSON may carry half of a surrogate pair, which no tokenizer and no HTTP client can encode.
    return text.encode("utf-8", "replace").decode("utf-8")
